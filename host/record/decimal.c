/* SPDX-License-Identifier: MIT */
/* decimal.c - exact decimals as texts: checked, compared and read as integers without ever being expanded. */
#include "record/decimal.h"

#include <string.h>

#include "base/text.h"
#include "record/order.h"

/* An exponent from here on is held here, so that neither one more digit nor the digits' place can overflow. */
static const int64_t exponent_max = 100000000000000000;

/* sign * 0.d1d2d3... * 10^place, where d1 is not 0; the digits stand in the text, perhaps with one point among them. */
struct amount {
    int sign; /* 0: zero */
    int64_t place;
    bool held; /* the exponent was too large to count with */
    const char *at, *end;
};

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Past at least one digit, or NULL. */
static const char *some_digits(const char *at, const char *end)
{
    const char *behind = at ? skip_digits(at, end) : NULL;
    return behind == at ? NULL : behind;
}

static bool is_at(const char *at, const char *end, char c)
{
    return at && at < end && *at == c;
}

bool decimal_valid(const char *text, size_t n_bytes)
{
    const char *end = text + n_bytes;
    const char *at = text;
    if (n_bytes == 0)
        return false;
    at += *at == '-';
    at = is_at(at, end, '0') ? at + 1 : some_digits(at, end);
    if (is_at(at, end, '.'))
        at = some_digits(at + 1, end);
    if (is_at(at, end, 'e') || is_at(at, end, 'E')) {
        at++;
        at += is_at(at, end, '+') || is_at(at, end, '-');
        at = some_digits(at, end);
    }
    return at == end;
}

static int64_t read_exponent(const char *at, const char *end, bool *held)
{
    int64_t n = 0;
    bool negative = is_at(at, end, '-');
    at += negative || is_at(at, end, '+');
    for (; at < end && !*held; at++) {
        n = n * 10 + (*at - '0');
        *held = n >= exponent_max;
    }
    n = *held ? exponent_max : n;
    return negative ? -n : n;
}

/* The text must be valid. */
static struct amount read_amount(const char *text, size_t n_bytes)
{
    struct amount m = {0};
    const char *end = text + n_bytes;
    int sign = *text == '-' ? -1 : 1;
    const char *whole = text + (sign < 0);
    const char *whole_end = skip_digits(whole, end);
    const char *digits_end = is_at(whole_end, end, '.') ? skip_digits(whole_end + 1, end) : whole_end;
    m.at = whole;
    while (m.at < digits_end && (*m.at == '0' || *m.at == '.'))
        m.at++;
    m.end = digits_end;
    if (m.at == m.end)
        return m;
    m.sign = sign;
    m.place = m.at < whole_end ? whole_end - m.at : whole_end + 1 - m.at;
    if (digits_end < end)
        m.place += read_exponent(digits_end + 1, end, &m.held);
    return m;
}

/* The next digit, or -1 behind the last. */
static int next_digit(struct amount *m)
{
    if (m->at < m->end && *m->at == '.')
        m->at++;
    return m->at < m->end ? *m->at++ - '0' : -1;
}

static int compare_digits(struct amount x, struct amount y)
{
    for (;;) {
        int a = next_digit(&x);
        int b = next_digit(&y);
        if (a < 0 && b < 0)
            return 0;
        a = a < 0 ? 0 : a;
        b = b < 0 ? 0 : b;
        if (a != b)
            return a < b ? -1 : 1;
    }
}

int decimal_compare(const char *x, size_t x_bytes, const char *y, size_t y_bytes)
{
    bool x_valid = decimal_valid(x, x_bytes);
    bool y_valid = decimal_valid(y, y_bytes);
    if (!x_valid || !y_valid)
        return x_valid == y_valid ? order_bytes(x, x_bytes, y, y_bytes) : y_valid - x_valid;
    struct amount a = read_amount(x, x_bytes);
    struct amount b = read_amount(y, y_bytes);
    if (a.sign != b.sign)
        return a.sign < b.sign ? -1 : 1;
    int c = (a.place > b.place) - (a.place < b.place);
    c = c ? c : compare_digits(a, b);
    /* held exponents can not tell equal amounts: then only the same text is equal */
    if (c == 0 && (a.held || b.held))
        return order_bytes(x, x_bytes, y, y_bytes);
    return a.sign < 0 ? -c : c;
}

bool decimal_integer(const char *text, size_t n_bytes, int64_t *out)
{
    if (!decimal_valid(text, n_bytes))
        return false;
    struct amount m = read_amount(text, n_bytes);
    *out = 0;
    if (m.sign == 0)
        return true;
    if (m.place < 1 || m.place > 19)
        return false;
    for (int64_t i = 0; i < m.place; i++) {
        int digit = next_digit(&m);
        digit = digit < 0 ? 0 : digit;
        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, m.sign * digit, out))
            return false;
    }
    int rest = 0;
    while (rest == 0)
        rest = next_digit(&m);
    return rest < 0;
}

bool decimal_plain_integer(const char *text, size_t n_bytes, int64_t *out)
{
    char again[INT_TEXT_BYTES];
    if (n_bytes == 0 || n_bytes >= sizeof(again) || !decimal_integer(text, n_bytes, out))
        return false;
    return int_format(*out, again) == n_bytes && memcmp(again, text, n_bytes) == 0;
}
