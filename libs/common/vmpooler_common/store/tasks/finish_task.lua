-- needs tasks
-- finish_task: note what became of a task that was leased by an operation.
--
-- That it is done may be told by anybody, since the same id does nothing twice. That it failed, or is to
-- be tried again, counts only as long as nobody else has leased it.
-- ARGS operation, vm, task, outcome, reason, delay
--
-- `operation` is that of the lease; `outcome` is done, failed, or again: after `delay` ms.
-- Returns 'ok', or 'over' when it isn't this manager's to finish any more: the VM may have been returned.

local operation, vm, outcome, now = ARG.operation, ARG.vm, ARG.outcome, now_ms()
local known = redis.call('HMGET', K.vm .. vm, 'task:' .. ARG.task, 'work')
if not known[1] then return 'over' end
local task = cjson.decode(known[1])
if task.finished == operation then return 'ok' end
if task.state ~= 'pending' then return 'over' end
if outcome ~= 'done' and known[2] ~= operation then return 'over' end

if outcome == 'again' then
  task.reason, task.finished = ARG.reason, operation
  write_task(vm, task)
  redis.call('HDEL', K.vm .. vm, 'worker', 'work')
  redis.call('ZADD', K.tasks_due, int(now + ARG.delay), vm)
else
  end_task(vm, task, outcome, ARG.reason, operation, now)
end
return 'ok'
