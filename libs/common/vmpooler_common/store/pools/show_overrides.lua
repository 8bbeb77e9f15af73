-- show_overrides: what was set through the API, and what managers make of it, at one moment. Writes nothing.
-- Returns {sizes, templates, clone targets, templates that VMs are made from}, each pool and value...: flat

return {
  redis.call('HGETALL', K.size),
  redis.call('HGETALL', K.template),
  redis.call('HGETALL', K.clone_target),
  redis.call('HGETALL', K.template_ready),
}
