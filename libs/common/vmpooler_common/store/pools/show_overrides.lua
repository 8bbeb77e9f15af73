-- show_overrides: what was set through the API, and what managers make of it, at one moment. Writes nothing.
-- ARGS
-- REPLY sizes, templates, clone_targets, templates_ready
--
-- Each is flat: pool, value, pool, value.

return cjson.encode({
  sizes = redis.call('HGETALL', K.size),
  templates = redis.call('HGETALL', K.template),
  clone_targets = redis.call('HGETALL', K.clone_target),
  templates_ready = redis.call('HGETALL', K.template_ready),
})
