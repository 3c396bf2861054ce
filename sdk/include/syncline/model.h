/* SPDX-License-Identifier: MIT */
/* model.h - the normalized models: names, types and enum values two connectors share without a mapping. */
#ifndef SYNCLINE_MODEL_H
#define SYNCLINE_MODEL_H

#include "value.h"

/*
 * Each model is a list F(name, type, values, object): the field, its enum sl_type, for ENUM its
 * values separated by '|', for REF the model it points to. Native fields stay reachable as native.<path>,
 * custom ones as custom.<key>. Lists only grow at the end. Since 1.0.
 * A REF to a user is the handle that a person would write for him in the config's `users`: his e-mail address where the system tells it,
 * else his login; its connector turns it into an id. *_name is how he is called, for readers on the other side.
 */
#define SL_MODEL_TICKET(F) \
    F("title", SL_STRING, "", "") \
    F("body", SL_STRING, "", "") \
    F("status", SL_ENUM, "new|open|pending|on_hold|in_progress|resolved|closed|cancelled", "") \
    F("priority", SL_ENUM, "low|normal|high|urgent", "") \
    F("type", SL_ENUM, "question|incident|problem|task|bug|feature", "") \
    F("tags", SL_SET, "", "") \
    F("assignee", SL_REF, "", "user") \
    F("reporter", SL_REF, "", "user") \
    F("parent", SL_REF, "", "ticket") \
    F("due_date", SL_DATE, "", "") \
    F("created_at", SL_TIMESTAMP, "", "") \
    F("updated_at", SL_TIMESTAMP, "", "") \
    F("closed_at", SL_TIMESTAMP, "", "") \
    F("external_key", SL_STRING, "", "") \
    F("url", SL_STRING, "", "") \
    F("assignee_name", SL_STRING, "", "") /* since 1.1 */ \
    F("reporter_name", SL_STRING, "", "")

#define SL_MODEL_COMMENT(F) \
    F("body", SL_STRING, "", "") \
    F("author", SL_REF, "", "user") \
    F("public", SL_BOOL, "", "") \
    F("created_at", SL_TIMESTAMP, "", "") \
    F("updated_at", SL_TIMESTAMP, "", "") \
    F("attachments", SL_JSON, "", "") /* a list of {"name", "url"} */ \
    F("author_name", SL_STRING, "", "") /* since 1.1 */

#define SL_MODEL_USER(F) \
    F("name", SL_STRING, "", "") \
    F("email", SL_STRING, "", "") \
    F("login", SL_STRING, "", "") \
    F("active", SL_BOOL, "", "") \
    F("role", SL_STRING, "", "") \
    F("external_key", SL_STRING, "", "")

#define SL_MODEL_EMPLOYEE(F) \
    F("employee_number", SL_STRING, "", "") \
    F("first_name", SL_STRING, "", "") \
    F("last_name", SL_STRING, "", "") \
    F("display_name", SL_STRING, "", "") \
    F("work_email", SL_STRING, "", "") \
    F("personal_email", SL_STRING, "", "") \
    F("mobile_phone", SL_STRING, "", "") \
    F("job_title", SL_STRING, "", "") \
    F("department", SL_STRING, "", "") \
    F("manager", SL_REF, "", "employee") \
    F("employment_status", SL_ENUM, "pending|active|on_leave|inactive", "") \
    F("hire_date", SL_DATE, "", "") \
    F("start_date", SL_DATE, "", "") \
    F("termination_date", SL_DATE, "", "") \
    F("birth_date", SL_DATE, "", "") \
    F("work_location", SL_STRING, "", "") \
    F("address", SL_JSON, "", "") \
    F("onboarding_progress", SL_INT, "", "")

#define SL_MODEL_INVOICE(F) \
    F("number", SL_STRING, "", "") \
    F("customer", SL_REF, "", "customer") \
    F("status", SL_ENUM, "draft|open|partially_paid|paid|void", "") \
    F("issue_date", SL_DATE, "", "") \
    F("due_date", SL_DATE, "", "") \
    F("paid_on", SL_DATE, "", "") \
    F("currency", SL_STRING, "", "") \
    F("subtotal", SL_DECIMAL, "", "") \
    F("tax", SL_DECIMAL, "", "") \
    F("total", SL_DECIMAL, "", "") \
    F("balance", SL_DECIMAL, "", "") \
    F("lines", SL_JSON, "", "") \
    F("memo", SL_STRING, "", "") \
    F("external_key", SL_STRING, "", "")

#define SL_MODEL_CUSTOMER(F) \
    F("name", SL_STRING, "", "") \
    F("email", SL_STRING, "", "") \
    F("phone", SL_STRING, "", "") \
    F("tax_number", SL_STRING, "", "") \
    F("currency", SL_STRING, "", "") \
    F("active", SL_BOOL, "", "") \
    F("address", SL_JSON, "", "") \
    F("external_key", SL_STRING, "", "")

#define SL_MODEL_GIFT_ORDER(F) \
    F("recipient", SL_REF, "", "employee") \
    F("recipient_name", SL_STRING, "", "") \
    F("recipient_email", SL_STRING, "", "") \
    F("campaign", SL_STRING, "", "") \
    F("occasion", SL_STRING, "", "") \
    F("status", SL_ENUM, "scheduled|sent|claimed|shipped|delivered|expired|cancelled|failed", "") \
    F("amount", SL_DECIMAL, "", "") \
    F("currency", SL_STRING, "", "") \
    F("send_date", SL_DATE, "", "") \
    F("delivered_at", SL_TIMESTAMP, "", "") \
    F("message", SL_STRING, "", "") \
    F("external_key", SL_STRING, "", "")

#define SL_MODEL_FILE(F) \
    F("name", SL_STRING, "", "") \
    F("mime_type", SL_STRING, "", "") \
    F("size_bytes", SL_INT, "", "") \
    F("url", SL_STRING, "", "") \
    F("sha256", SL_STRING, "", "")

/* The list of models: M(name, list). */
#define SL_MODELS(M) \
    M("ticket", SL_MODEL_TICKET) \
    M("comment", SL_MODEL_COMMENT) \
    M("user", SL_MODEL_USER) \
    M("employee", SL_MODEL_EMPLOYEE) \
    M("invoice", SL_MODEL_INVOICE) \
    M("customer", SL_MODEL_CUSTOMER) \
    M("gift_order", SL_MODEL_GIFT_ORDER) \
    M("file", SL_MODEL_FILE)

#endif
