"""The organization, its roles, its profiles with their rights, and its users with managers."""

from collections.abc import Iterator
from itertools import cycle
from random import Random

from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, RowBuilder, day, maybe, pick, stamp
from sf_assets.devorg.seed.vocabulary import DEPARTMENTS, FIRST_NAMES, LAST_NAMES, TITLES, addresses
from sf_assets.devorg.store.ids import record_id_of

# role | the role above it
ROLES: tuple[tuple[str, str | None], ...] = (
    ("Chief Executive", None),
    ("VP Sales", "Chief Executive"),
    ("VP Service", "Chief Executive"),
    ("VP Marketing", "Chief Executive"),
    ("Director Sales EMEA", "VP Sales"),
    ("Director Sales Americas", "VP Sales"),
    ("Director Sales APAC", "VP Sales"),
    ("Account Executive DACH", "Director Sales EMEA"),
    ("Account Executive Nordics", "Director Sales EMEA"),
    ("Account Executive West", "Director Sales Americas"),
    ("Account Executive East", "Director Sales Americas"),
    ("Account Executive Japan", "Director Sales APAC"),
    ("Support Team Lead", "VP Service"),
    ("Support Agent", "Support Team Lead"),
    ("Campaign Manager", "VP Marketing"),
)
# profile | share of the Permissions* columns that it has
PROFILES: tuple[tuple[str, float], ...] = (
    ("System Administrator", 0.7),
    ("Standard User", 0.15),
    ("Integration (API only)", 0.05),
    ("Sales User", 0.18),
    ("Service User", 0.16),
    ("Marketing User", 0.17),
    ("Read Only", 0.06),
    ("Solution Manager", 0.2),
    ("Contract Manager", 0.19),
    ("Standard Platform User", 0.1),
    ("Minimum Access - Salesforce", 0.02),
    ("Analytics Cloud Integration User", 0.03),
)
ADMIN_RIGHTS = ("PermissionsModifyAllData", "PermissionsViewAllData", "PermissionsApiEnabled", "PermissionsViewSetup")
FIRST_USERS = (
    (FIRST_NAMES[0], LAST_NAMES[0]),  # the administrator
    (("Integration", "integration"), ("User", "user")),
)
LOCALES = (
    ("Europe/Berlin", "de_DE", "de", "EUR"),
    ("Europe/London", "en_GB", "en_US", "GBP"),
    ("America/New_York", "en_US", "en_US", "USD"),
    ("America/Los_Angeles", "en_US", "en_US", "USD"),
    ("Asia/Tokyo", "ja_JP", "ja", "JPY"),
    ("Asia/Jerusalem", "iw_IL", "iw", "USD"),
)


def rights(rng: Random, names: list[str], *, share: float, is_admin: bool) -> Row:
    """Return a value for each `Permissions*` column; only an administrator may modify all data."""
    values = {name: rng.random() < share for name in names}
    return values | {name: is_admin for name in ADMIN_RIGHTS if name in values}


def permission_names(builder: RowBuilder) -> list[str]:
    """Return the object's `Permissions*` columns."""
    return [name for name in builder.schema.fields if name.startswith("Permissions")]


def fill_organization(builder: RowBuilder) -> None:
    """Add the one row of the organization."""
    address = addresses("", with_codes=False)[9]
    builder.add(builder.begins, {
        "Name": "Practice Org & Söhne", "Division": None, "Phone": "+49 30 901820", "PrimaryContact": "Ada Lovelace",
        "DefaultLocaleSidKey": "en_US", "TimeZoneSidKey": "Europe/Berlin", "LanguageLocaleKey": "en_US",
        "FiscalYearStartMonth": 1, "DefaultAccountAccess": "Edit", "DefaultContactAccess": "ControlledByParent",
        "DefaultOpportunityAccess": "Read", "DefaultLeadAccess": "ReadEditTransfer", "DefaultCaseAccess": "Edit",
        "DefaultCalendarAccess": "HideDetails", "DefaultPricebookAccess": "ReadSelect", "DefaultCampaignAccess": "Read",
        "UiSkin": "Theme3", "OrganizationType": "Developer Edition", "InstanceName": "EU57", "NumKnowledgeService": 1,
        "MonthlyPageViewsUsed": 0, "MonthlyPageViewsEntitlement": 15_000, "SignupCountryIsoCode": "DE",
        "PreferencesLightningLoginEnabled": True, "WebToCaseDefaultOrigin": "Web", **address,
    })  # fmt: skip
    builder.finish()


def fill_profiles(builder: RowBuilder) -> None:
    """Add the profiles, the administrator's first."""
    names = permission_names(builder)
    for (name, share), at in zip(_numbered(PROFILES), builder.birth_times(), strict=False):
        values = rights(builder.rng, names, share=share, is_admin=name == PROFILES[0][0])
        values |= {
            "Name": name,
            "UserType": "Standard",
            "UserLicenseId": record_id_of("100", 5_000 + int(share > 0.12)),
        }
        builder.add(at, values | {"Description": maybe(builder.rng, 0.5, f"Profile of the {name}")})
    builder.finish()


def _numbered(profiles: tuple[tuple[str, float], ...]) -> Iterator[tuple[str, float]]:
    """Yield the profiles, then clones without end."""
    yield from profiles
    for round_number, (name, share) in enumerate(cycle(profiles[1:]), start=2):
        yield f"{name} {round_number}", share


def fill_roles(builder: RowBuilder) -> None:
    """Add the roles, each with an earlier one as parent."""
    result: dict[str, Row] = {}
    for index, at in enumerate(builder.birth_times()):
        name, above = ROLES[index] if index < len(ROLES) else (f"Territory {index}", ROLES[index % len(ROLES)][0])
        result[name] = builder.add(at, {
            "Name": name, "DeveloperName": name.replace(" ", "_"), "OpportunityAccessForAccountOwner": "Edit",
            "CaseAccessForAccountOwner": "Edit", "ContactAccessForAccountOwner": "Edit", "PortalType": "None",
            "RollupDescription": f"{name} and below", "ParentRoleId": above,
        })  # fmt: skip
    builder.finish()
    for row in builder.rows:
        row["ParentRoleId"] = result[row["ParentRoleId"]]["Id"] if row["ParentRoleId"] else None


def fill_users(builder: RowBuilder, *, profiles: RowBuilder, roles: RowBuilder) -> None:
    """Add the users: an administrator, the integration user, and a tree of managers."""
    pool = addresses("", with_codes=False)
    for index, at in enumerate(builder.birth_times()):
        row = builder.add(at, _person(builder.rng, index) | pick(builder.rng, pool))
        row |= _account_of(builder.rng, index, at=at, ends=builder.ends)
        profile = index if index < 3 else int(builder.rng.random() * len(profiles.rows))
        row["ProfileId"] = profiles.rows[profile % len(profiles.rows)]["Id"]
        row["UserRoleId"] = roles.rows[index % len(roles.rows)]["Id"] if roles.rows and index != 1 else None
    builder.finish()
    for index, row in enumerate(builder.rows):
        row["ManagerId"] = builder.rows[(index - 1) // 6]["Id"] if index else None
        row["CreatedById"] = row["LastModifiedById"] = builder.rows[0]["Id"]


def set_author(builder: RowBuilder, users: RowBuilder) -> None:
    """Set the administrator as the author of rows that are older than all users."""
    for row in builder.rows:
        row |= {name: users.rows[0]["Id"] for name in ("CreatedById", "LastModifiedById") if name in row}


def _person(rng: Random, index: int) -> Row:
    """Return name, contact data and preferences of a user."""
    first, ascii_first = FIRST_USERS[index][0] if index < len(FIRST_USERS) else pick(rng, FIRST_NAMES)
    last, ascii_last = FIRST_USERS[index][1] if index < len(FIRST_USERS) else pick(rng, LAST_NAMES)
    zone, locale, language, currency = pick(rng, LOCALES)
    mail = f"{ascii_first}.{ascii_last}.{index}@practice.example"
    return {
        "Username": mail, "Email": mail, "FirstName": first, "LastName": last, "Name": f"{first} {last}",
        "Alias": f"{ascii_last[:4]}{index % 10_000}", "CommunityNickname": f"{ascii_first}.{index}"[:40],
        "TimeZoneSidKey": zone, "LocaleSidKey": locale, "LanguageLocaleKey": language, "EmailEncodingKey": "UTF-8",
        "CurrencyIsoCode": currency, "DefaultCurrencyIsoCode": currency, "CompanyName": "Practice Org & Söhne",
        "Title": maybe(rng, 0.8, pick(rng, TITLES)), "Department": maybe(rng, 0.7, pick(rng, DEPARTMENTS)),
        "Phone": maybe(rng, 0.6, f"+49 30 9018{index:04}"), "Extension": maybe(rng, 0.3, str(100 + index)),
        "Signature": maybe(rng, 0.3, f"Best regards\n{first} {last}"), "AboutMe": maybe(rng, 0.2, "Ask me anything ✨"),
        "EmployeeNumber": maybe(rng, 0.8, f"E{index:05}"), "Badge_Number__c": maybe(rng, 0.7, f"B-{index:06}"),
    }  # fmt: skip


def _account_of(rng: Random, index: int, *, at: int, ends: int) -> Row:
    """Return the account columns of a user: active or not, logins, preferences."""
    login = at + int((ends - at) * (1 - rng.random() ** 4))
    return {
        "IsActive": index < 3 or rng.random() > 0.1, "UserType": "Standard", "DigestFrequency": "D",
        "DefaultGroupNotificationFrequency": "N", "ForecastEnabled": rng.random() < 0.4,
        "LastLoginDate": stamp(login) if index == 0 or rng.random() < 0.9 else None,
        "LastPasswordChangeDate": stamp(at), "NumberOfFailedLogins": int(rng.random() ** 6 * 4),
        "UserPermissionsInteractionUser": True, "UserPermissionsMarketingUser": rng.random() < 0.2,
        "UserPermissionsSupportUser": rng.random() < 0.3, "ReceivesInfoEmails": index == 0,
        "UserPreferencesLightningExperiencePreferred": True, "HasUserVerifiedEmail": rng.random() < 0.9,
        "FullPhotoUrl": "/profilephoto/005/F", "SmallPhotoUrl": "/profilephoto/005/T",
        "MediumPhotoUrl": "/profilephoto/005/M", "BannerPhotoUrl": "/profilephoto/005/B",
        "Hire_Date__c": day(at - int(rng.random() * 400) * DAY_SECONDS),
    }  # fmt: skip
