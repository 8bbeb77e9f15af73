-- Which pools serve a checkout. A name is {number, count, pools = {pool...}, weight = {pool → weight}}; the
-- choice is left in its `taken`: pool → number of VMs.

-- Draw one of the name's pools that has a free VM, or nil. Weights of zero are a last resort.
local function draw(name, free)
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
local function make_room(wanting, names, free)
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

-- Choose a pool for every VM of every name; `free`, pool → number of VMs, is used up. Names with the fewest
-- pools go first; VMs chosen for one name are moved to another pool if that lets the next name be met.
-- Returns nil, or the number of the first name that can't be met.
local function choose(names, free)
  local order = {}
  for _, name in ipairs(names) do
    name.taken = {}
    for _, pool in ipairs(name.pools) do name.taken[pool] = 0 end
    table.insert(order, name)
  end
  table.sort(order, function(one, other)
    if #one.pools ~= #other.pools then return #one.pools < #other.pools end
    return one.number < other.number
  end)
  for _, name in ipairs(order) do
    for _ = 1, name.count do
      local pool = draw(name, free) or make_room(name, names, free)
      if not pool then return name.number end
      name.taken[pool] = name.taken[pool] + 1
      free[pool] = free[pool] - 1
    end
  end
end
