{# Days and durations that mean the same in every session time zone and on every database. #}

{% macro utc_day(moment) %}{{ return(adapter.dispatch('utc_day')(moment)) }}{% endmacro %}

{% macro default__utc_day(moment) %}cast({{ moment }} at time zone 'UTC' as date){% endmacro %}

{% macro snowflake__utc_day(moment) %}cast(convert_timezone('UTC', {{ moment }}) as date){% endmacro %}

{% macro days_between(earlier, later) %}({{ dbt.datediff(earlier, later, 'second') }} / 86400.0){% endmacro %}
