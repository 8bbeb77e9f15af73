-- needs choice queue holds
-- renew_tickets: keep tickets for another while, and decide which of several pools hold VMs back; those that
-- have lapsed stay lapsed.
-- ARGS pools, tickets
-- REPLY operation, user, until, pools
--
-- Each of the `tickets` is {operation, address of its client}. One reply for each of them that holds VMs back
-- now, `until` then at the latest; `pools` is the number of those whose VMs it could take.

local now, holding, of_one_pool = now_ms(), {}, {}
local function told(operation, user, ends, pools)
  table.insert(holding, { operation = operation, user = user, ['until'] = int(ends), pools = pools })
end

for _, pool in ipairs(ARG.pools) do redis.call('PEXPIRE', K.queue .. pool, QUEUE_KEPT) end
for _, one in ipairs(ARG.tickets) do
  local operation, ticket = one[1], K.ticket .. one[1]
  local known = redis.call('HMGET', ticket, ' user', ' order', ' until', ' hold', ' client')
  if known[2] then
    redis.call('HSET', ticket, ' address', one[2])
    redis.call('PEXPIRE', ticket, TICKET_KEPT)
    local tickets = K.tickets .. known[5]
    if known[5] ~= '' then
      redis.call('ZADD', tickets, int(now + TICKET_KEPT), operation)
      redis.call('ZREMRANGEBYSCORE', tickets, '-inf', int(now))
      redis.call('PEXPIRE', tickets, QUEUE_KEPT)
    end
    if known[3] == '' then
      of_one_pool[operation] = { known[1], tonumber(known[4]) }
    else
      local order, pools = cjson.decode(known[2]), 0
      local turn = tonumber(redis.call('ZSCORE', K.queue .. order[1].pools[1], operation) or '0')
      local ends = renew_hold(operation, order, turn, now)
      for _, field in ipairs(redis.call('HKEYS', ticket)) do
        if string.sub(field, 1, 1) ~= ' ' then pools = pools + 1 end
      end
      if ends > now then told(operation, known[1], ends, pools) end
    end
  end
end

-- Whether one of a single pool holds is seen from the pool.
for _, pool in ipairs(next(of_one_pool) and ARG.pools or {}) do
  local holders = {}
  owed(pool, redis.call('ZCARD', K.ready .. pool), nil, nil, holders)
  for _, holder in ipairs(holders) do
    local own = of_one_pool[holder[1]]
    if own then told(holder[1], own[1], now + own[2], 1) end
  end
end
return cjson.encode(holding)
