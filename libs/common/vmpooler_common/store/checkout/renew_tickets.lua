-- needs choice queue holds
-- renew_tickets: keep tickets for another while, and decide which of several pools hold VMs back; those that
-- have lapsed stay lapsed.
-- ARGS pools, operations
-- REPLY operation, user, until, pools
--
-- One for each ticket of several pools that holds VMs back now, `until` then; `pools` is the number of them.

local now, holding = now_ms(), {}
for _, pool in ipairs(ARG.pools) do redis.call('PEXPIRE', K.queue .. pool, QUEUE_KEPT) end
for _, operation in ipairs(ARG.operations) do
  local ticket = K.ticket .. operation
  local known = redis.call('HMGET', ticket, ' user', ' order', ' until')
  if known[2] then
    redis.call('PEXPIRE', ticket, TICKET_KEPT)
    if known[1] ~= '' then
      redis.call('ZADD', K.tickets .. known[1], int(now + TICKET_KEPT), operation)
      redis.call('ZREMRANGEBYSCORE', K.tickets .. known[1], '-inf', int(now))
      redis.call('PEXPIRE', K.tickets .. known[1], QUEUE_KEPT)
    end
    if known[3] ~= '' then
      local order = cjson.decode(known[2])
      local turn = tonumber(redis.call('ZSCORE', K.queue .. order[1].pools[1], operation) or '0')
      local ends = renew_hold(operation, order, turn, now)
      if ends > now then
        local pools = redis.call('HLEN', ticket) - 5
        local told = { operation = operation, user = known[1], ['until'] = int(ends), pools = pools }
        table.insert(holding, told)
      end
    end
  end
end
return cjson.encode(holding)
