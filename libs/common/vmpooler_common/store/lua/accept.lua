-- needs requests
-- accept: make an open request part of its pools' backlog, and take its entry out of the inbox.
-- A redelivery changes nothing. What can't be understood goes to the dead-letter queue.
-- ARGV request, group, id of the entry or ''
-- Returns 'accepted', 'known' when there is nothing (more) to do, or 'dead'.

local request, now = ARGV[1], now_ms()
local known = redis.call('HMGET', K.request .. request, 'status', 'accepted', 'user')
local verdict = 'known'
if ARGV[3] ~= '' and not known[1] then
  local reason = request == '' and 'the entry names no request' or 'no request has this id'
  redis.call('XADD', K.dlq, 'MAXLEN', '~', 10000, '*', 'queue', 'requests', 'entry', request, 'reason', reason)
  verdict = 'dead'
end
if known[1] == 'open' and not known[2] then
  local pools = {}
  local total = redis.call('HLEN', K.wants .. request)
  for n = 0, total - 1 do
    local want = read_want(request, int(n))
    enqueue(request, int(n), want.pool, user_key(request, known[3]))
    pools[want.pool] = true
  end
  redis.call('HSET', K.request .. request, 'accepted', int(now))
  for pool in pairs(pools) do event('backlog', pool, request) end
  verdict = 'accepted'
end
redis.call('ZREM', K.unaccepted, request)
if ARGV[3] ~= '' then
  redis.pcall('XACK', K.requests, ARGV[2], ARGV[3]) -- the group may be gone
  redis.call('XDEL', K.requests, ARGV[3])
end
return verdict
