-- needs requests
-- fail_waiting: the provider says that the pool can never work as it is: fail the requests that wait for it.
-- ARGS operation, pool, reason, most
-- REPLY failed, waiting
--
-- `failed` is the number of failed requests, `waiting` that of items that still wait.

local operation, pool, failed, now = ARG.operation, ARG.pool, 0, now_ms()
local reply = remembered(operation)
if reply then return cjson.encode(reply) end
while failed < tonumber(ARG.most) do
  local item = head(pool)
  if not item then break end
  redis.call('HSET', K.request .. item.request, 'error', string.sub(ARG.reason, 1, LONGEST_REASON))
  close(item.request, 'failed', now, ARG.reason)
  failed = failed + 1
end
reply = { failed = failed, waiting = redis.call('ZCARD', K.backlog .. pool) }
if failed > 0 then remember(operation, reply) end
return cjson.encode(reply)
