{# Counts and shares; a share of nothing is NULL. #}

{% macro count_if(condition) %}sum(case when {{ condition }} then 1 else 0 end){% endmacro %}

{% macro sum_if(condition, value) %}coalesce(sum(case when {{ condition }} then {{ value }} end), 0){% endmacro %}

{% macro share(part, whole) %}cast({{ part }} as {{ dbt.type_float() }}) / nullif({{ whole }}, 0){% endmacro %}
