-- needs requests
-- accept_request: make an open request part of its pools' backlog, and take its entry out of the inbox.
-- A redelivery changes nothing. What can't be understood goes to the dead-letter queue.
-- ARGS operation, request, group, entry
--
-- `entry` is the id of the one in the inbox, or ''.
-- Returns 'accepted', 'known' when there is nothing (more) to do, or 'dead'.

local operation, request, group, entry, now = ARG.operation, ARG.request, ARG.group, ARG.entry, now_ms()
local known = redis.call('HMGET', K.request .. request, 'status', 'accepted', 'client', 'accepted_by')
local outcome = known[4] == operation and 'accepted' or remembered(operation) or 'known'
if entry ~= '' and not known[1] and outcome == 'known' then
  local reason = request == '' and 'the entry names no request' or 'no request has this id'
  redis.call('XADD', K.dlq, 'MAXLEN', '~', 10000, '*',
    'queue', 'requests', 'entry', request, 'reason', reason)
  outcome = remember(operation, 'dead')
end
if known[1] == 'open' and not known[2] then
  local pools = {}
  local total = redis.call('HLEN', K.items .. request)
  for n = 0, total - 1 do
    local item = read_item(request, int(n))
    enqueue(request, int(n), item.pool, turn_key(request, known[3]))
    pools[item.pool] = true
  end
  redis.call('HSET', K.request .. request, 'accepted', int(now), 'accepted_by', operation)
  for pool in pairs(pools) do event('pool.backlog', pool, request) end
  outcome = 'accepted'
end
redis.call('ZREM', K.unaccepted, request)
if entry ~= '' then
  redis.pcall('XACK', K.requests, group, entry) -- the group may be gone
  redis.call('XDEL', K.requests, entry)
end
return outcome
