{#
  The fiscal year and quarter of a date, from the organization's start month. A year that starts after January has the
  number of the calendar year in which it ends, unless the organization names years by their start.
  `org` is the alias of a row of stg_salesforce__organization. Custom fiscal years are not months, and not in its tables.
#}

{% macro fiscal_year(day, org) -%}
cast(
    extract(year from {{ day }})
    - case when extract(month from {{ day }}) < {{ org }}.fiscal_year_start_month then 1 else 0 end
    + case
        when {{ org }}.fiscal_year_start_month > 1
            and not coalesce({{ org }}.uses_start_date_as_fiscal_year_name, false) then 1
        else 0
    end as integer
)
{%- endmacro %}

{% macro fiscal_quarter(day, org) -%}
cast(
    floor(mod(extract(month from {{ day }}) - {{ org }}.fiscal_year_start_month + 12, 12) / 3) + 1 as integer
)
{%- endmacro %}
