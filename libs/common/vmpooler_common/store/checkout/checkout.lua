-- needs choice queue holds
-- checkout: check out VMs from several pools, all or nothing.
--
-- For each VM a candidate pool with a ready VM is drawn by weight (prelude_choice.lua); within a pool the VM
-- that is ready longest goes first. VMs that are owed to checkouts with an older ticket are left alone
-- (prelude_queue.lua); one that waits takes a ticket, and keeps it until it is answered. With an
-- Idempotency-Key the grant is remembered for an hour, and told again to whoever asks for the same under the
-- same key.
--
-- ARGV operation, token, lifetime, lifetime_with_token, seed, key, order, wait, hold, most_waiting, client,
--       most_running, names, *
--
-- `token` is its digest or ''; lifetimes are in ms, 0 for no end; `seed` is that of the draw; `key` is the
-- digest of
-- the Idempotency-Key and its caller or '', `order` that of what is asked for. `wait` is '' to be answered at
-- once,
-- 'wait' to take a ticket when VMs are missing, 'last' to give it up then; a ticket holds VMs back for `hold`
-- ms at a time. `client` is who asks without a token, where that has limits, or ''; of one with a token it is
-- the user. A client has at most `most_waiting` tickets, and `most_running` VMs that run or are wanted on
-- demand; 0 for no limit.
-- For each of so many `names` follow: count, number of pools, (pool, weight)...; a pool that a name has twice
-- counts once, with both weights. For 'wait' (pool, configured size) of each pool follow.
-- Returns {'ok' or 'again', user, digest of the key or '', operation that took the VMs,
--          (number of the name from 0, vm, pool, domain, provider id)...}: flat
--         {'unauthorized'}: the token is unknown
--         {'other'}: the key was used for another order
--         {'over'}: some of the VMs that were taken under the key aren't the caller's any more
--         {'limit', user, what is limited, how much of it the client has, how much it would have}
--         {'empty', number of a name that could not be met,
--         (pool of that name, size set through the API or '', VMs ready, those of them that are owed to
--         nobody, VMs pending, why it is broken or '', its problem or '', its pause or '')...}: flat;
--         there is no ticket (any more)
--         {'waits', the same, turn of the ticket, the pools that have ready VMs beyond what is
--         owed to this ticket and older ones...}
--         {'cancelled'}: the operation was given up before it ran

local operation, token, key, order, wait = ARGV[1], ARGV[2], ARGV[6], ARGV[7], ARGV[8]

local done = remembered(operation)
if done then
  redis.call('PEXPIRE', K.op .. operation, OPERATION_KEPT) -- a write, for a WAIT that follows to wait for
  return done
end

-- Who is answered waits no longer.
local function answer(reply)
  if wait ~= '' then give_ticket_up(operation) end
  return reply
end

local user = ''
if token ~= '' then
  user = redis.call('HGET', K.token .. token, 'user')
  if not user then return answer({ 'unauthorized' }) end
  redis.call('HSET', K.token .. token, 'last', int(now_ms())) -- whatever becomes of the checkout
end

-- What was granted under the key, as an answer for this operation, or nil.
local function granted_before()
  local known = redis.call('HMGET', K.idempotency .. key, 'order', 'reply')
  if not known[1] then return nil end
  if known[1] ~= order then return { 'other' } end
  local reply = cjson.decode(known[2])
  for at = 6, #reply, 5 do
    local vm = redis.call('HMGET', K.vm .. reply[at], 'state', 'op')
    if vm[1] ~= 'running' or vm[2] ~= reply[4] then return { 'over' } end
  end
  reply[1] = 'again'
  redis.call('HINCRBY', K.idempotency .. key, 'reported', 1)
  return remember(operation, reply)
end

if key ~= '' then
  local known = granted_before()
  if known then return answer(known) end
end

local client, most_waiting, most_running = ARGV[11], tonumber(ARGV[10]), tonumber(ARGV[12])
if user ~= '' then client = 'u:' .. user end
local names, at, total = {}, 14, 0
for number = 0, tonumber(ARGV[13]) - 1 do
  local name = { number = number, count = tonumber(ARGV[at]), pools = {}, weight = {} }
  local pools = tonumber(ARGV[at + 1])
  at = at + 2
  for _ = 1, pools do
    local pool = ARGV[at]
    if not name.weight[pool] then table.insert(name.pools, pool) end
    name.weight[pool] = (name.weight[pool] or 0) + tonumber(ARGV[at + 1])
    at = at + 2
  end
  table.insert(names, name)
  total = total + name.count
end

if most_running > 0 and client ~= '' then
  local has = redis.call('ZCARD', K.taken .. client) + redis.call('SCARD', K.wanted .. client)
  if has + total > most_running then return answer({ 'limit', user, 'running_vms', has, has + total }) end
end

-- What may be taken: what is ready and not owed to others.
local turn -- of our ticket, nil without one
if wait ~= '' and redis.call('EXISTS', K.ticket .. operation) == 1 then
  turn = tonumber(redis.call('ZSCORE', K.queue .. names[1].pools[1], operation))
end
local free, needs = {}, {}
for _, name in ipairs(names) do
  for _, pool in ipairs(name.pools) do
    if not free[pool] then
      local ready = redis.call('ZCARD', K.ready .. pool)
      local others, lapsed = owed(pool, ready, turn)
      for _, ticket in ipairs(lapsed) do redis.call('ZREM', K.queue .. pool, ticket) end
      free[pool] = is_paused(pool) and 0 or math.max(0, ready - others)
    end
    if wait ~= '' then needs[pool] = (needs[pool] or 0) + name.count end
  end
end

-- Pools with VMs for those who come after us.
local function beyond()
  local found = {}
  for pool in pairs(needs) do
    local ready = redis.call('ZCARD', K.ready .. pool)
    if ready > owed(pool, ready, turn + 1) and not is_paused(pool) then table.insert(found, pool) end
  end
  return found
end

-- Whether full pools could meet the order: what they couldn't would be waited for in vain. Those that are
-- broken have no more than they have now. Nobody begins to wait for those that are paused.
local function can_be_waited_for()
  local most = {}
  for ticket = at, #ARGV, 2 do
    local pool = ARGV[ticket]
    if redis.call('HEXISTS', K.broken, pool) == 1 then
      most[pool] = redis.call('ZCARD', K.ready .. pool)
    else
      most[pool] = is_paused(pool) and not turn and 0 or size_of(pool, ARGV[ticket + 1])
    end
  end
  return not choose(names, most)
end

-- The refusal, with what there is to tell of the pools of the name that can't be met.
local function refusal(unmet)
  local reply = { 'empty', unmet }
  for _, pool in ipairs(names[unmet + 1].pools) do
    local ready = redis.call('ZCARD', K.ready .. pool)
    local facts = {
      pool, redis.call('HGET', K.size, pool) or '',
      ready, math.max(0, ready - (owed(pool, ready, turn))), redis.call('ZCARD', K.pending .. pool),
      redis.call('HGET', K.broken, pool) or '',
      redis.call('HGET', K.problems, pool) or '', redis.call('HGET', K.paused, pool) or '',
    }
    for _, fact in ipairs(facts) do table.insert(reply, fact) end
  end
  return reply
end

math.randomseed(tonumber(ARGV[5]))
local unmet = choose(names, free)
if unmet then
  local is_vain = wait == 'wait' and not can_be_waited_for()
  if wait == 'wait' and not turn then
    if not is_vain then
      local waiting = client ~= '' and most_waiting > 0 and count_tickets(client) or 0
      if waiting > 0 and waiting >= most_waiting then
        return { 'limit', user, 'waiting_checkouts', waiting, waiting + 1 }
      end
      turn = take_ticket(operation, needs, user, client, names, ARGV[9])
      renew_hold(operation, names, turn, now_ms())
    end
  elseif turn then
    renew_hold(operation, names, turn, now_ms())
  end
  if wait ~= 'wait' or not turn or is_vain then return answer(refusal(unmet)) end
  local reply = { 'waits', unmet, turn }
  for _, pool in ipairs(beyond()) do table.insert(reply, pool) end
  return reply
end

-- Everything is there: take it.
local now = now_ms()
local lifetime = tonumber(token == '' and ARGV[3] or ARGV[4])
local ends = lifetime > 0 and int(now + lifetime) or ''
local reply = { 'ok', user, key, operation }
for _, name in ipairs(names) do
  for _, pool in ipairs(name.pools) do
    if name.taken[pool] > 0 then
      for _, vm in ipairs(redis.call('ZRANGE', K.ready .. pool, 0, name.taken[pool] - 1)) do
        redis.call('ZADD', K.untagged .. pool, int(now), vm)
        move(vm, pool, 'ready', 'running', ends == '' and '+inf' or ends,
          'op', operation, 'checkout', int(now), 'ends', ends, 'user', user, 'token', token,
          'client', client)
        if client ~= '' then redis.call('ZADD', K.taken .. client, int(now), vm) end
        local known = redis.call('HMGET', K.vm .. vm, 'domain', 'id')
        for _, value in ipairs({ name.number, vm, pool, known[1] or '', known[2] or '' }) do
          table.insert(reply, value)
        end
      end
    end
  end
end
if key ~= '' then
  redis.call('HSET', K.idempotency .. key, 'order', order, 'operation', operation,
    'reply', cjson.encode(reply),
    'reported', 1)
  redis.call('PEXPIRE', K.idempotency .. key, KEY_KEPT)
  event('checkout.repeated', '', key) -- others may wait with the same key
end
return answer(remember(operation, reply))
