-- begin_migration: may a running VM be moved to another host now? Once in its life at most, and only so many
-- VMs at the same time, over all managers.
-- ARGS operation, vm, attempt, limit, life
-- REPLY outcome, host
--
-- `life` is the ms after which the place of a manager that died is free again.
-- The outcome is ok; full: as many VMs as the `limit` are being moved; refused: the VM doesn't run (any
-- more), is another, or was asked about before. `host` is where it runs, or ''.

local vm, now = ARG.vm, now_ms()
local known = redis.call('HMGET', K.vm .. vm, 'state', 'attempt', 'host', 'migration')
local reply = { outcome = 'refused', host = known[3] or '' }
if known[4] == ARG.operation then
  reply.outcome = 'ok'
elseif known[1] == 'running' and known[2] == ARG.attempt and not known[4] then
  redis.call('ZREMRANGEBYSCORE', K.migrations, '-inf', int(now))
  reply.outcome = 'full'
  if redis.call('ZCARD', K.migrations) < tonumber(ARG.limit) then
    redis.call('HSET', K.vm .. vm, 'migration', ARG.operation)
    redis.call('ZADD', K.migrations, int(now + ARG.life), vm)
    reply.outcome = 'ok'
  end
end
return cjson.encode(reply)
