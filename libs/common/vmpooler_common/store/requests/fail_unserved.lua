-- needs requests
-- fail_unserved: fail the requests that have waited too long for a pool that no manager knows.
-- ARGV operation, pool, reason, most requests
-- Returns the number of failed requests.

local operation, pool, failed, now = ARGV[1], ARGV[2], 0, now_ms()
local reply = remembered(operation)
if reply then return reply end
while failed < tonumber(ARGV[4]) do
  local request = unserved(pool, now)
  if not request then break end
  redis.call('HSET', K.request .. request, 'error', ARGV[3])
  close(request, 'failed', now, ARGV[3])
  failed = failed + 1
end
return failed > 0 and remember(operation, failed) or failed
