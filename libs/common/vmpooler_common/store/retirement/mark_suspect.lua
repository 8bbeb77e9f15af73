-- mark_suspect: set ready VMs aside that listings miss, or trust them again. Neither hands out nor destroys.
-- ARGV pool, 'suspect' or 'ready' (where they are to be), vm...
-- Returns the names that are there now.

local pool, to = ARGV[1], ARGV[2]
local from = to == 'suspect' and 'ready' or 'suspect'
local moved = {}
for at = 3, #ARGV do
  local since = redis.call('ZSCORE', K[from] .. pool, ARGV[at])
  if since then
    redis.call('ZADD', K[to] .. pool, since, ARGV[at])
    redis.call('ZREM', K[from] .. pool, ARGV[at])
    event(to == 'suspect' and 'vm.suspect' or 'vm.ready', pool, ARGV[at])
  end
  if redis.call('ZSCORE', K[to] .. pool, ARGV[at]) then table.insert(moved, ARGV[at]) end
end
return moved
