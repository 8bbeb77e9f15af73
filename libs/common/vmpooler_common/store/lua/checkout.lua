-- checkout: hand out VMs from several pools, all or nothing.
--
-- The wanted names are served in order of their number of candidate pools. For each VM a candidate
-- pool with a ready VM is drawn by weight; when a name finds all its pools taken, VMs chosen for
-- other names are moved to other pools if that helps, so whatever can be met is met. Within a pool
-- the VM that is ready longest goes first.
--
-- ARGV operation, token digest or '', lifetime in ms or 0 for no end, the same with a token,
--      seed of the draw, number of names, then per name: count, number of pools, (pool, weight)...;
--      a pool that a name has twice counts once, with both weights
-- Returns {'ok', user, (number of the name from 0, vm, pool, domain, provider id)...}: flat
--         {'unauthorized'}: the token is unknown
--         {'empty', number of a name that could not be met}
--         {'cancelled'}: the operation was given up before it ran

local operation, token = ARGV[1], ARGV[2]

local done = redis.call('GET', K.op .. operation)
if done then
  redis.call('PEXPIRE', K.op .. operation, OPERATION_KEPT) -- a write, for a WAIT that follows to wait for
  return cjson.decode(done)
end

local user = ''
if token ~= '' then
  user = redis.call('HGET', K.token .. token, 'user')
  if not user then return { 'unauthorized' } end
end

local names, at = {}, 7
for number = 1, tonumber(ARGV[6]) do
  local name = { number = number, count = tonumber(ARGV[at]), pools = {}, weight = {}, taken = {} }
  local pools = tonumber(ARGV[at + 1])
  at = at + 2
  for _ = 1, pools do
    local pool = ARGV[at]
    if not name.weight[pool] then table.insert(name.pools, pool) end
    name.weight[pool] = (name.weight[pool] or 0) + tonumber(ARGV[at + 1])
    name.taken[pool] = 0
    at = at + 2
  end
  names[number] = name
end

local free = {}
for _, name in ipairs(names) do
  for _, pool in ipairs(name.pools) do
    if not free[pool] then free[pool] = redis.call('ZCARD', K.ready .. pool) end
  end
end

math.randomseed(tonumber(ARGV[5]))

-- Draw one of the name's pools that has a free VM, or nil. Weights of zero are a last resort.
local function draw(name)
  local total, fallback = 0, {}
  for _, pool in ipairs(name.pools) do
    if free[pool] > 0 then
      total = total + name.weight[pool]
      table.insert(fallback, pool)
    end
  end
  if total == 0 then return fallback[#fallback > 0 and math.random(#fallback) or 1] end
  local point = math.random() * total
  for _, pool in ipairs(fallback) do
    point = point - name.weight[pool]
    if point < 0 then return pool end
  end
  return fallback[#fallback]
end

-- Make room for the name by moving VMs of other names to other pools; breadth first over pools.
local function make_room(wanting)
  local queue, reached = {}, {}
  for _, pool in ipairs(wanting.pools) do
    reached[pool] = true
    table.insert(queue, { pool = pool })
  end
  local head = 1
  while queue[head] do
    local step = queue[head]
    head = head + 1
    if free[step.pool] > 0 then
      while step.from do
        step.mover.taken[step.pool] = step.mover.taken[step.pool] + 1
        step.mover.taken[step.from.pool] = step.mover.taken[step.from.pool] - 1
        free[step.pool], free[step.from.pool] = free[step.pool] - 1, free[step.from.pool] + 1
        step = step.from
      end
      return step.pool
    end
    for _, other in ipairs(names) do
      if (other.taken[step.pool] or 0) > 0 then
        for _, pool in ipairs(other.pools) do
          if not reached[pool] then
            reached[pool] = true
            table.insert(queue, { pool = pool, from = step, mover = other })
          end
        end
      end
    end
  end
end

local order = {}
for _, name in ipairs(names) do table.insert(order, name) end
table.sort(order, function(one, other)
  if #one.pools ~= #other.pools then return #one.pools < #other.pools end
  return one.number < other.number
end)
for _, name in ipairs(order) do
  for _ = 1, name.count do
    local pool = draw(name) or make_room(name)
    if not pool then return { 'empty', name.number - 1 } end
    name.taken[pool] = name.taken[pool] + 1
    free[pool] = free[pool] - 1
  end
end

-- Everything is there: take it.
local now = now_ms()
local lifetime = tonumber(token == '' and ARGV[3] or ARGV[4])
local ends = lifetime > 0 and int(now + lifetime) or ''
local reply = { 'ok', user }
for _, name in ipairs(names) do
  for _, pool in ipairs(name.pools) do
    if name.taken[pool] > 0 then
      for _, vm in ipairs(redis.call('ZRANGE', K.ready .. pool, 0, name.taken[pool] - 1)) do
        redis.call('ZADD', K.untagged .. pool, int(now), vm)
        move(vm, pool, 'ready', 'running', ends == '' and '+inf' or ends,
          'op', operation, 'checkout', int(now), 'ends', ends, 'user', user, 'token', token)
        if token ~= '' then redis.call('ZADD', K.holds .. token, int(now), vm) end
        local known = redis.call('HMGET', K.vm .. vm, 'domain', 'id')
        for _, value in ipairs({ name.number - 1, vm, pool, known[1] or '', known[2] or '' }) do
          table.insert(reply, value)
        end
      end
    end
  end
end
if token ~= '' then redis.call('HSET', K.token .. token, 'last', int(now)) end
redis.call('SET', K.op .. operation, cjson.encode(reply), 'PX', OPERATION_KEPT)
return reply
