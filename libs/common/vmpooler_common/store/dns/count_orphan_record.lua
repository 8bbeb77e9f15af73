-- count_orphan_record: may orphaned DNS records of this name be removed? At most `bound` names in ten
-- minutes.
-- ARGS dns, name, attempt, bound
--
-- `name` is the VM's short name, `attempt` the one in the mark beside the records.
-- Returns 'ok', 'known' when they are a living VM's after all, 'exceeded' when the bound is.

local known = redis.call('HMGET', K.vm .. ARG.name, 'state', 'attempt', 'dns')
if known[2] == ARG.attempt and (known[1] ~= 'gone' or known[3]) then return 'known' end
local now = now_ms()
if not count_against_limit(' dns ' .. ARG.dns, 'record', ARG.name, tonumber(ARG.bound), now) then
  return 'exceeded'
end
return 'ok'
