-- SPDX-License-Identifier: MIT
-- lower_bound.sql - the least that a durable two-way sync of two tables can do: a three-way diff against a copy of what both agreed on.
-- Run by sqlite3 in the folder of a.db and b.db on base.db; one transaction over all three, with rollback journals and a super-journal.
-- EXTRA, as Syncline: a commit that a power cut a moment later may undo is no state to rely on.
ATTACH 'a.db' AS a;
ATTACH 'b.db' AS b;
PRAGMA main.synchronous=EXTRA;
PRAGMA a.synchronous=EXTRA;
PRAGMA b.synchronous=EXTRA;
CREATE TABLE IF NOT EXISTS base AS SELECT * FROM a.records WHERE 0;
CREATE UNIQUE INDEX IF NOT EXISTS base_id ON base(id);
CREATE TABLE IF NOT EXISTS open_conflict(id INTEGER PRIMARY KEY);

CREATE TEMP VIEW diff_a AS SELECT r.id FROM a.records r LEFT JOIN main.base o ON o.id = r.id
  WHERE (r.id, r.name, r.email, r.status, r.priority, r.amount, r.edit, r.notes, r.modified)
    IS NOT (o.id, o.name, o.email, o.status, o.priority, o.amount, o.edit, o.notes, o.modified);
CREATE TEMP VIEW diff_b AS SELECT r.id FROM b.records r LEFT JOIN main.base o ON o.id = r.id
  WHERE (r.id, r.name, r.email, r.status, r.priority, r.amount, r.edit, r.notes, r.modified)
    IS NOT (o.id, o.name, o.email, o.status, o.priority, o.amount, o.edit, o.notes, o.modified);

BEGIN IMMEDIATE;
CREATE TEMP TABLE changed_a(id INTEGER PRIMARY KEY);
CREATE TEMP TABLE changed_b(id INTEGER PRIMARY KEY);
CREATE TEMP TABLE gone_a(id INTEGER PRIMARY KEY);
CREATE TEMP TABLE gone_b(id INTEGER PRIMARY KEY);
INSERT INTO changed_a SELECT id FROM diff_a;
INSERT INTO changed_b SELECT id FROM diff_b;
INSERT INTO gone_a SELECT id FROM main.base WHERE id NOT IN (SELECT id FROM a.records);
INSERT INTO gone_b SELECT id FROM main.base WHERE id NOT IN (SELECT id FROM b.records);
-- Changed on both sides: left to a person, who finds it in a list that stays.
CREATE TEMP TABLE conflict AS SELECT id FROM changed_a INTERSECT SELECT id FROM changed_b;
DELETE FROM main.open_conflict WHERE id NOT IN (SELECT id FROM conflict);
INSERT OR IGNORE INTO main.open_conflict SELECT id FROM conflict;
DELETE FROM changed_a WHERE id IN (SELECT id FROM conflict);
DELETE FROM changed_b WHERE id IN (SELECT id FROM conflict);
INSERT OR REPLACE INTO b.records SELECT * FROM a.records WHERE id IN (SELECT id FROM changed_a);
INSERT OR REPLACE INTO a.records SELECT * FROM b.records WHERE id IN (SELECT id FROM changed_b);
INSERT OR REPLACE INTO main.base SELECT * FROM a.records WHERE id IN (SELECT id FROM changed_a);
INSERT OR REPLACE INTO main.base SELECT * FROM b.records WHERE id IN (SELECT id FROM changed_b);
-- An edit beats a delete: what the other side changed was copied back above.
DELETE FROM b.records WHERE id IN (SELECT id FROM gone_a) AND id NOT IN (SELECT id FROM changed_b);
DELETE FROM a.records WHERE id IN (SELECT id FROM gone_b) AND id NOT IN (SELECT id FROM changed_a);
DELETE FROM main.base WHERE id NOT IN (SELECT id FROM a.records);
COMMIT;
