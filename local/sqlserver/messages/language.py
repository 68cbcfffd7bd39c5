"""Messages about T-SQL itself."""

from __future__ import annotations

LANGUAGE: dict[int, tuple[int, str]] = {
    119: (
        15,
        "Must pass parameter number {} and subsequent parameters as '@name = value'. After the "
        "form '@name = value' has been used, all subsequent parameters must be passed in the "
        "form '@name = value'.",
    ),
    148: (
        15,
        "Incorrect time syntax in time string '{}' used with WAITFOR.",
    ),
    179: (
        15,
        "Cannot use the OUTPUT option when passing a constant to a stored procedure.",
    ),
    217: (
        16,
        "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit {}).",
    ),
    208: (16, "Invalid object name '{}'."),
    201: (16, "Procedure or function '{}' expects parameter '{}', which was not supplied."),
    2812: (16, "Could not find stored procedure '{}'."),
    8143: (16, "Parameter '{}' was supplied multiple times."),
    8144: (16, "Procedure or function {} has too many arguments specified."),
    8145: (16, "{} is not a parameter for procedure {}."),
    8162: (
        16,
        'The formal parameter "{}" was not declared as an OUTPUT parameter, but the actual '
        "parameter passed in requested output.",
    ),
    10704: (
        15,
        "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the "
        "THROW statement inside a CATCH block, or add error parameters to the THROW statement.",
    ),
    102: (15, "Incorrect syntax near '{}'."),
    105: (15, "Unclosed quotation mark after the character string '{}'."),
    113: (15, "Missing end comment mark '*/'."),
    134: (
        15,
        "The variable name '{}' has already been declared. Variable names must be unique within "
        "a query batch or stored procedure.",
    ),
    137: (15, 'Must declare the scalar variable "{}".'),
    206: (16, "Operand type clash: {} is incompatible with {}"),
    209: (16, "Ambiguous column name '{}'."),
    226: (16, "{} statement not allowed within multi-statement transaction."),
    245: (16, "Conversion failed when converting the {} value '{}' to data type {}."),
    4145: (
        15,
        "An expression of non-boolean type specified in a context where a condition is expected.",
    ),
    241: (
        16,
        "Conversion failed when converting date and/or time from character string.",
    ),
    512: (
        16,
        "Subquery returned more than 1 value. This is not permitted when the subquery follows =, "
        "!=, <, <= , >, >= or when the subquery is used as an expression.",
    ),
    517: (16, "Adding a value to a 'datetime' column caused an overflow."),
    8115: (16, "Arithmetic overflow error converting expression to data type {}."),
    8120: (
        16,
        "Column '{}' is invalid in the select list because it is not contained in either an "
        "aggregate function or the GROUP BY clause.",
    ),
    8134: (16, "Divide by zero error encountered."),
    8178: (
        16,
        "The parameterized query '{}' expects the parameter '{}', which was not supplied.",
    ),
    8179: (16, "Could not find prepared statement with handle {}."),
}
