-- Limits of owners may be changed by owners only. The author of an earlier limit is in the audit trail; a limit whose
-- author is unknown counts as set by an owner.
ALTER TABLE budgets ADD COLUMN by_owner INTEGER NOT NULL DEFAULT 1 CHECK (by_owner IN (0, 1));
UPDATE budgets SET by_owner = 0 WHERE 'admin' = (
    SELECT users.role FROM audit LEFT JOIN users ON users.id = audit.actor_id
    WHERE audit.action IN ('budget.set', 'budget.lift')
      AND audit.target IN (budgets.scope, substr(budgets.scope, instr(budgets.scope, ':') + 1))
      AND audit.details ->> 'limit' = iif(budgets.measure = 'cost', 'usd', budgets.measure) || '/' || budgets.period
    ORDER BY audit.id DESC LIMIT 1
);
