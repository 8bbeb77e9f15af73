-- needs tasks
-- settle_task: note what became of a task that was leased by an operation.
--
-- That it is done may be told by anybody, since the same id does nothing twice. That it failed, or is to
-- be tried again, counts only as long as nobody else has leased it.
-- ARGV operation of the lease, vm, task, 'done', 'failed' or 'again', reason, ms until it is tried again
-- Returns 'ok', or 'over' when it isn't this manager's to settle any more: the VM may have been returned.

local operation, vm, outcome, now = ARGV[1], ARGV[2], ARGV[4], now_ms()
local known = redis.call('HMGET', K.vm .. vm, 'task:' .. ARGV[3], 'work')
if not known[1] then return 'over' end
local task = cjson.decode(known[1])
if task.settled == operation then return 'ok' end
if task.state ~= 'pending' then return 'over' end
if outcome ~= 'done' and known[2] ~= operation then return 'over' end

if outcome == 'again' then
  task.reason, task.settled = ARGV[5], operation
  write_task(vm, task)
  redis.call('HDEL', K.vm .. vm, 'worker', 'work')
  redis.call('ZADD', K.tasks_due, int(now + ARGV[6]), vm)
else
  end_task(vm, task, outcome, ARGV[5], operation, now)
end
return 'ok'
