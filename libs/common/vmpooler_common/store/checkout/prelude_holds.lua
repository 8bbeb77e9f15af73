-- Holds of waiting checkouts that may take VMs of several pools. Such a one keeps VMs from those who came
-- later only while its whole order can be met soon, for some time, and then leaves them to others for a
-- while; its turn is kept. That is decided when its ticket is taken and renewed. Needs choice and queue.

-- Whether an order can be met by VMs that are ready or pending, and owed to nobody older.
local function can_be_met(order, turn)
  local supply = {}
  for _, name in ipairs(order) do
    for _, pool in ipairs(name.pools) do
      if not supply[pool] then
        local there = supply_of(pool, redis.call('ZCARD', K.ready .. pool))
        supply[pool] = math.max(0, there - owed(pool, there, turn))
      end
    end
  end
  return not choose(order, supply)
end

-- Decide until when a ticket of several pools holds VMs back. Returns that, 0 when it doesn't.
local function renew_hold(ticket, order, turn, now)
  local known = redis.call('HMGET', K.ticket .. ticket, ' until', ' since', ' hold')
  if known[1] == '' then return 0 end
  local hold, since, ends = tonumber(known[3]), tonumber(known[2]), 0
  if (now - since) % (hold + HOLD_PAUSE) < hold and can_be_met(order, turn) then
    ends = now + hold - (now - since) % (hold + HOLD_PAUSE)
  end
  redis.call('HSET', K.ticket .. ticket, ' until', int(ends))
  return ends
end
