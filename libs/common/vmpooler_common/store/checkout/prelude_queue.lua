-- Tickets: a checkout that waits has one, under the id of its operation, in the queue of each pool that
-- it may take VMs of. Checkouts are served in the order in which they came. Tickets, and the users whose
-- on-demand requests wait, share one counter of turns, so that it can be told who came first.

local TICKET_KEPT = 10000 -- since it was taken or renewed
local QUEUE_KEPT = 2 * TICKET_KEPT -- longer than any ticket in it
local HOLD_PAUSE = 15000 -- between the times in which a ticket holds back what doesn't meet its order yet

-- What a pool has for those who wait, owed to older ones included: VMs that are ready, and those that will
-- be, unless on-demand requests get them.
local function supply_of(pool, ready)
  if is_paused(pool) then return 0 end
  local trouble = redis.call('HEXISTS', K.broken, pool) + redis.call('HEXISTS', K.backing_off, pool)
  if trouble > 0 then return ready end
  return ready + math.max(0, redis.call('ZCARD', K.pending .. pool) - redis.call('ZCARD', K.backlog .. pool))
end

-- VMs of a pool that are owed to the tickets taken before `turn`, or to all where it is nil; counted up to
-- `enough`. A ticket is owed all that it could take of the pool while it holds VMs back: while the ready
-- ones meet its whole order, or for some time while those do that are ready or pending. `there` VMs are
-- ready, if that isn't what the pool has now. Returns the number and the tickets that have lapsed; into the
-- list `holders` go those that hold, each {ticket, VMs}.
local function owed(pool, enough, turn, there, holders)
  local sum, lapsed, at, now, ready, supply = 0, {}, 0, nil, nil, nil
  local function is_holding(need, ends, since, hold)
    if not now then
      now, ready = now_ms(), there or redis.call('ZCARD', K.ready .. pool)
      supply = supply_of(pool, ready)
    end
    if ends ~= '' then return tonumber(ends) > now end -- of several pools: decided when it is renewed
    if need <= ready - sum then return true end
    return need <= supply - sum and (now - since) % (hold + HOLD_PAUSE) < tonumber(hold)
  end
  while sum < enough do
    local tickets = redis.call('ZRANGE', K.queue .. pool, at, at + 49, 'WITHSCORES')
    for n = 1, #tickets, 2 do
      if sum >= enough or (turn and tonumber(tickets[n + 1]) >= turn) then return sum, lapsed end
      local known = redis.call('HMGET', K.ticket .. tickets[n], pool, ' until', ' since', ' hold')
      local need = tonumber(known[1])
      if not need then
        table.insert(lapsed, tickets[n])
      elseif is_holding(need, known[2], known[3], known[4]) then
        if holders then table.insert(holders, { tickets[n], math.min(need, enough - sum) }) end
        sum = sum + need
      end
    end
    if #tickets < 100 then break end
    at = at + 50
  end
  return sum, lapsed
end

-- Describe who holds back the ready VMs of a pool, at most a hundred.
local function holders_of(pool, enough, turn, there)
  local found, told = {}, {}
  owed(pool, enough, turn, there, found)
  for at = 1, math.min(#found, 100) do
    local known = redis.call('HMGET', K.ticket .. found[at][1], ' user', ' address', ' since')
    told[at] = {
      user = known[1] or '', address = known[2] or '', since = known[3] or '0', vms = found[at][2],
    }
  end
  return told
end

-- Whether the next VM of a pool to be ready is owed to a checkout that came before the item.
local function goes_before(pool, item)
  local ready = redis.call('ZCARD', K.ready .. pool)
  return owed(pool, ready + 1, item.turn, ready + 1) > ready
end

-- Take a ticket for `needs`, pool → number of VMs, of an order that is kept to see whether it can be met. It
-- holds VMs back for `hold` ms at a time. Returns its turn.
local function take_ticket(ticket, needs, user, client, order, hold)
  local turn, pools = redis.call('INCR', K.turn), 0
  for _ in pairs(needs) do pools = pools + 1 end
  redis.call('HSET', K.ticket .. ticket, ' user', user, ' client', client, ' order', cjson.encode(order),
    ' hold', hold, ' since', int(now_ms()), ' until', pools > 1 and 0 or '')
  for pool, need in pairs(needs) do
    redis.call('HSET', K.ticket .. ticket, pool, need)
    redis.call('ZADD', K.queue .. pool, turn, ticket)
    redis.call('PEXPIRE', K.queue .. pool, QUEUE_KEPT)
  end
  if client ~= '' then
    redis.call('ZADD', K.tickets .. client, int(now_ms() + TICKET_KEPT), ticket)
    redis.call('PEXPIRE', K.tickets .. client, QUEUE_KEPT)
  end
  redis.call('PEXPIRE', K.ticket .. ticket, TICKET_KEPT)
  return turn
end

-- How many tickets a client has.
local function count_tickets(client)
  return redis.call('ZCOUNT', K.tickets .. client, int(now_ms()), '+inf')
end

-- Give a ticket up, if there is one. Those who come after it are poked, and the managers
-- of pools with a backlog.
local function give_ticket_up(ticket)
  local client = redis.call('HGET', K.ticket .. ticket, ' client')
  if not client then return end
  local pools = {}
  for _, field in ipairs(redis.call('HKEYS', K.ticket .. ticket)) do
    if string.sub(field, 1, 1) ~= ' ' then table.insert(pools, field) end
  end
  redis.call('DEL', K.ticket .. ticket)
  redis.call('ZREM', K.tickets .. client, ticket)
  for _, pool in ipairs(pools) do
    redis.call('ZREM', K.queue .. pool, ticket)
    if redis.call('EXISTS', K.queue .. pool) == 1 then event('queue.moved', pool, '') end
    if redis.call('EXISTS', K.backlog .. pool) == 1 then event('pool.backlog', pool, '') end
  end
end
