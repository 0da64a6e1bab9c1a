import platform

import pytest

from sf_assets.sync.memory import bound_malloc


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_glibc_takes_the_bounds():
    assert bound_malloc()
