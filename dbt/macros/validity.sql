{#
  The versions of a history table (`<endpoint>_changes`), each with the time from which and until which the table held
  it. A deletion ends a version and is none itself. `keys` are those of the endpoint.
#}

{% macro validity(changes, keys=['id']) %}
{%- set order = 'partition by ' ~ keys | join(', ') ~ ' order by _change_number' -%}
select
    *,
    valid_to is null as is_current
from (
    select
        *,
        _synced_at as valid_from,
        lead(_synced_at) over ({{ order }}) as valid_to
    from {{ changes }}
) as versions
where _change <> 'delete'
{% endmacro %}
