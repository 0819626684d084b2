/* Text to typed values, without floats and without locale. */
#include "common/config/option.h"

#include <string.h>

enum { MICRO = 1000000, MICRO_DIGITS = 6 };

static const int64_t NUMBER_MAX = 1000000000000; /* Far from where arithmetic overflows. */
static const int64_t DURATION_MAX_MS = (int64_t)3660 * 24 * 3600 * 1000; /* Ten years. */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A run of digits at *text, which moves past it. */
static bool take_number(const char **text, int64_t *ret)
{
    int64_t number = 0;

    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++) {
        number = number * 10 + (**text - '0');
        if (number > NUMBER_MAX)
            return false;
    }
    *ret = number;
    return true;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

enum err option_count(const char *text, uint32_t *ret)
{
    int64_t number;

    if (!take_number(&text, &number) || *text != '\0' || number > UINT32_MAX)
        return ERR_INVALID;
    *ret = (uint32_t)number;
    return ERR_OK;
}

enum err option_percent(const char *text, uint32_t *ret)
{
    int64_t number;

    if (!take_number(&text, &number) || number > 100)
        return ERR_INVALID;
    text = skip_blanks(text);
    if (*text == '%')
        text++;
    if (*text != '\0')
        return ERR_INVALID;
    *ret = (uint32_t)number;
    return ERR_OK;
}

enum err option_bool(const char *text, bool *ret)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return ERR_INVALID;
    *ret = *text == 't';
    return ERR_OK;
}

enum err option_duration_ms(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }
    };
    int64_t number;

    if (!take_number(&text, &number))
        return ERR_INVALID;
    text = skip_blanks(text);
    if (number == 0 && *text == '\0') {
        *ret_ms = 0;
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text, units[i].suffix) != 0)
            continue;
        if (number > DURATION_MAX_MS / units[i].ms)
            return ERR_INVALID;
        *ret_ms = number * units[i].ms;
        return ERR_OK;
    }
    return ERR_INVALID;
}

/* The digits after the point, as millionths; false if a seventh one is not zero. */
static bool take_fraction(const char **text, int64_t *ret_micro)
{
    int64_t micro = 0;
    int digits = 0;

    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++, digits++) {
        if (digits < MICRO_DIGITS)
            micro = micro * 10 + (**text - '0');
        else if (**text != '0')
            return false;
    }
    for (; digits < MICRO_DIGITS; digits++)
        micro *= 10;
    *ret_micro = micro;
    return true;
}

enum err option_micro(const char *text, int64_t *ret_micro)
{
    const bool negative = *text == '-';
    int64_t whole, fraction = 0, micro;

    text += negative ? 1 : 0;
    if (!take_number(&text, &whole))
        return ERR_INVALID;
    if (*text == '.') {
        text++;
        if (!take_fraction(&text, &fraction))
            return ERR_INVALID;
    }
    micro = whole * MICRO + fraction;
    text = skip_blanks(text);
    if (*text == '%') {
        if (micro % 100 != 0)
            return ERR_INVALID;
        micro /= 100;
        text++;
    }
    if (*text != '\0')
        return ERR_INVALID;
    *ret_micro = negative ? -micro : micro;
    return ERR_OK;
}
