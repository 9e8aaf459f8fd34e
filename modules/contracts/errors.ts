/**
 * The one table of error codes. An error is data: `code`, `message`, `hint`; code compares `code`, never
 * `instanceof`, because class identity dies on reload. `{name}` in a template is filled from the error's details.
 * `status` is the HTTP status a refusal maps to. `ERRORS.md` is generated from this table; a test keeps them equal.
 */
export interface ErrorEntry {
  readonly message: string
  readonly hint: string
  readonly status: number
}

const entry = (status: number, message: string, hint: string): ErrorEntry => ({ message, hint, status })

export const ERRORS = {
  // --- configs -------------------------------------------------------------------------------------------------
  config_syntax: entry(
    422,
    'The YAML does not parse: {reason}',
    'Fix the line named; the last good version keeps running.',
  ),
  config_not_map: entry(
    422,
    'A config must be a map of keys to values, not {found}',
    'Write `key: value` lines, or put a dot before the file name to switch it off.',
  ),
  config_too_large: entry(
    422,
    'The config is too large: {reason}',
    'Move the data to a file the module reads; `limits:` of the meta file can raise this.',
  ),
  config_key: entry(
    422,
    'The key `{key}` is wrong: {reason}',
    'Change the value of `{key}`; the reserved keys are listed in docs/configs.md.',
  ),
  config_invalid: entry(
    422,
    'The value at `{key}` does not fit the schema of {prog}: {reason}',
    'Change `{key}`; the incumbent keeps running until the file is valid.',
  ),
  config_unreadable: entry(
    422,
    'The config cannot be read: {reason}',
    'Check where the link leads and who may read it; what ran from it goes on running.',
  ),
  config_name: entry(
    422,
    'The file name `{name}` is not `name.yml` or `name-v1.2.3.yml`',
    'Rename the file: a version is one to three numbers, without leading zeros, as in `name-v1.10.yml`.',
  ),
  config_version_tie: entry(
    409,
    'Two files have the same version: {files}',
    'Keep one: v1, v1.0 and v1.0.0 are the same version. Put a dot before the other.',
  ),
  config_api_taken: entry(
    409,
    'Two live files claim the api `{api}`: {files}',
    'Give one of them another `api:`, or put a dot before its name. The incumbent stays.',
  ),
  env_missing: entry(
    422,
    'The environment variable `{name}` is not set (wanted by `{key}`)',
    'Set it before `mm up`, or write `${{name}:-default}`.',
  ),
  secret_missing: entry(
    422,
    'There is no secret `{name}` (wanted by `{key}`)',
    'Write the value to runtime/secrets/{name} with mode 0600.',
  ),
  secret_open: entry(
    422,
    'The secret `{name}` can be read by others (mode {mode})',
    'Run: chmod 600 runtime/secrets/{name}',
  ),
  secret_plain: entry(
    422,
    'The value of `{key}` is secret and stands in the config',
    'Write it to runtime/secrets/NAME with mode 0600 and put `secret:NAME` here, or `${NAME}` for a variable.',
  ),

  // --- modules -------------------------------------------------------------------------------------------------
  prog_not_found: entry(
    422,
    'No module `{prog}` in modules/',
    'Create modules/{prog}.ts (or .mjs, .js, or a folder with index.ts){near}.',
  ),
  prog_ambiguous: entry(
    422,
    'The prog `{prog}` fits more than one file: {files}',
    'Write the whole path under modules/, or remove one of the files.',
  ),
  source_syntax: entry(
    422,
    'The source does not parse: {reason}',
    'Fix the line named; the last good version keeps running.',
  ),
  source_unsupported: entry(
    422,
    'This syntax is not supported here: {reason}',
    'Decorators, `accessor`, `using` and CommonJS are not supported; enums and parameter properties are.',
  ),
  import_missing: entry(
    422,
    'Cannot find `{specifier}`, imported here',
    'Check the path or the name; for a package run `npm install` in the root. It is retried when the file appears.',
  ),
  export_missing: entry(422, '`{specifier}` has no export `{name}`', 'Check the spelling; exports there: {exports}.'),
  module_threw: entry(
    422,
    'The module threw while it was evaluated: {reason}',
    'Fix the line named; the last good version keeps running.',
  ),
  module_timeout: entry(
    422,
    'The module did not finish evaluating within {ms} ms',
    'A top-level `await` that never settles? Move the work to `init()`.',
  ),
  no_module_class: entry(
    422,
    '`{prog}` exports no class named `Module`',
    'Write `export class Module { constructor(kernel, config) {} }`; see modules/example.ts.',
  ),
  no_kernel_class: entry(
    422,
    '`{prog}` exports no class named `Kernel`',
    "A meta file's `prog` names a kernel, as `prog: kernel`.",
  ),
  reserved_method: entry(
    422,
    'A public method may not be called `{method}`',
    'Rename it: as, with, getStats and then belong to the handle.',
  ),
  constructor_threw: entry(
    422,
    'The constructor threw: {reason}',
    'Fix the line named; the last good version keeps running.',
  ),
  init_threw: entry(422, 'init() failed: {reason}', 'Fix the cause; the last good version keeps running.'),
  init_timeout: entry(
    422,
    '{phase}() did not settle within {ms} ms',
    'Give every wait inside {phase}() a deadline, or raise `limits: {init_ms: …}` in the config.',
  ),
  self_test_failed: entry(
    422,
    'selfTest() refused this version: {reason}',
    'Fix the cause; the last good version keeps running.',
  ),
  aspect_invalid: entry(
    422,
    "getAspect('{aspect}') is wrong: {reason}",
    'Return an object of functions; tools have `description`, `params` (a zod object) and `run`.',
  ),
  needs_ring: entry(
    422,
    'These services need each other, so none can start: {ring}',
    'Remove one of the needs, or call the other service later than init().',
  ),
  tool_name_taken: entry(
    409,
    'Two tools fold to one name `{tool}`: {owners}',
    'Rename one method or `api`; the first one stays.',
  ),

  // --- changes -------------------------------------------------------------------------------------------------
  hand_over_failed: entry(
    422,
    'The state of `{api}` could not be handed over: {reason}',
    'Fix `handOver` or `takeOver`; the version that serves keeps its state.',
  ),
  hand_over_not_cloneable: entry(
    422,
    'What `handOver` of `{api}` returned cannot be copied: {reason}',
    'Return plain data: no functions, sockets or class instances with methods.',
  ),
  configure_threw: entry(
    422,
    '`configure` of `{api}` threw: {reason}',
    'Fix the value or `configure`; the earlier values are in force.',
  ),
  reload_deferred: entry(
    503,
    'The reload of `{api}` is put off: {reason}',
    'It is tried again by itself; the version before serves on.',
  ),
  version_refused: entry(
    409,
    'This version of `{api}` was taken back: {reason}',
    'Save a changed file, or `mm undo {api}` to have the bytes that run on disk.',
  ),
  version_stalled: entry(
    503,
    'This version of `{api}` stalled the process for {ms} ms, and is off',
    'Save a fixed file, or `mm reload {api}` to try again; see docs/operations.md.',
  ),
  nothing_to_roll_back: entry(
    409,
    'There is no earlier version of `{api}` in memory',
    'A version can be taken back once another has run before it in this process.',
  ),
  nothing_to_undo: entry(409, 'No change of `{api}` is left to undo', '`mm plan` shows what differs from what runs.'),
  file_changed: entry(
    409,
    '{file} has changed since the change that would be undone',
    'Look at the file: undoing would lose what was written later.',
  ),
  service_tripped: entry(
    503,
    '`{api}` failed {restarts} times within {ms} ms and was switched off: {reason}',
    'Save a fixed file, or `mm reload {api}` to try again.',
  ),
  disk_full: entry(507, 'The disk is full: {path} could not be written', 'Free some space; it is tried again.'),
  read_only: entry(503, '{path} could not be written: {reason}', 'Make the folder writable for this user.'),

  // --- calls ---------------------------------------------------------------------------------------------------
  service_not_found: entry(
    404,
    'There is no service `{api}`{near}',
    '`mm ls` lists the services; a service needs a file in configs/.',
  ),
  service_failed: entry(
    503,
    'The service `{api}` could not start: {reason}',
    '`mm show {api}` has the reason; saving a fixed file starts it again.',
  ),
  service_stopped: entry(503, 'The service `{api}` was stopped', 'Its config is gone or off; put it back to start it.'),
  aspect_not_found: entry(404, 'The service `{api}` has no aspect `{aspect}`', '`mm show {api}` lists the aspects.'),
  method_not_found: entry(404, '`{api}` has no method `{method}`{near}', '`mm show {api}` lists the methods.'),
  not_a_method: entry(400, '`{method}` of `{api}` is a value, not a method', 'Add a method that returns it.'),
  private_member: entry(
    403,
    '`{method}` of `{api}` is private',
    'Names that begin with an underscore are never callable from outside.',
  ),
  lifecycle_member: entry(
    403,
    '`{method}` of `{api}` belongs to the kernel',
    'Lifecycle methods are called by the kernel only.',
  ),
  queue_full: entry(
    503,
    'The queue of `{api}` is full ({limit} calls)',
    'Slow down, or raise `limits: {queue_calls_max: …}` in its config.',
  ),
  queue_timeout: entry(504, '`{api}` was not ready within {ms} ms', '`mm show {api}` says what it waits for.'),
  deadline_exceeded: entry(
    504,
    '`{api}.{method}` did not answer within {ms} ms',
    'Raise the deadline, or find out why it is slow.',
  ),
  call_aborted: entry(
    499,
    'The call to `{api}.{method}` was aborted by its caller',
    'Nothing to do: the caller gave up.',
  ),
  caller_stopped: entry(
    410,
    'A stopped version of `{caller}` tried to call `{api}`',
    'A timer or callback outlived its version; own() or clear it.',
  ),
  generation_retired: entry(
    503,
    'Version g{generation} of `{api}` was replaced and did not finish within {ms} ms',
    'Call again: the new version answers. Long calls need `limits: {drain_ms: …}`.',
  ),
  bad_arguments: entry(400, 'The arguments are wrong: {reason}', '`mm show {api}` has the signature.'),
  result_not_cloneable: entry(
    500,
    'The result of `{api}.{method}` cannot leave the process: {reason}',
    'Return plain data.',
  ),
  caller_unknown: entry(
    403,
    '`{method}` of `{api}` needs a caller',
    'Call it through its handle: `handle.{method}()`, not as a loose function.',
  ),
  frozen: entry(423, 'The system is frozen: {reason}', 'An operator removes runtime/FREEZE (`mm thaw`).'),
  restarts_exceeded: entry(
    503,
    'The system was started {times} times within {seconds} s and does not stay up: {how}',
    'runtime/logs/mm.log says more; `mm up --safe` starts without your modules.',
  ),
  kernel_stopping: entry(503, 'The system is shutting down', 'Wait for the next start.'),
  process_refused: entry(
    403,
    '`process.{member}` is refused inside a module',
    'A module may not end or rewire the process; use kernel.own() and shutdown().',
  ),
  stopped: entry(503, 'This version of the service was stopped', 'Expected at a reload: end the loop.'),
  callee_error: entry(500, '{reason}', 'The service itself reported this.'),

  // --- sandboxes -----------------------------------------------------------------------------------------------
  sandbox_unavailable: entry(
    503,
    'No sandbox can be made here: {package} is not usable on Node {node}: {reason}',
    'Run `npm ci` on this Node version. A module that needs a sandbox never runs without one.',
  ),
  grant_denied: entry(
    403,
    '{api} may not use {power}',
    'Add `- {grant}` under `grants:` in {config}, if it should have that power.',
  ),
  power_not_granted: entry(
    403,
    '{api} asks for {power}, which it was not granted',
    'Add under `grants:` in {config}:\n  {grant}',
  ),
  scan_refused: entry(422, '{reason}', '{instead} (rule {rule})'),
  sandbox_full: entry(
    503,
    'There are {limit} sandbox processes already: {holders}',
    'Let modules share one by the same `sandbox: {group}`, or raise `limits: {sandbox_processes_max}` in the meta file.',
  ),
  sandbox_quarantined: entry(
    503,
    '{api} broke its limits {kills} times and is in quarantine: {reason}',
    'Change its source, or let it run again by `mm release {api}`.',
  ),
  not_quarantined: entry(409, '{api} is in no quarantine', '`mm show {api}` says what it waits for.'),
  operator_method: entry(
    403,
    'Only an operator may call {method} of the service kernel',
    'Use `mm {method}`, or the HTTP API with the token of runtime/token.',
  ),
  sandbox_cpu: entry(
    503,
    'The sandbox of `{api}` was ended: {reason}',
    'Do less at once, or `await kernel.sleep(0)` in between; `sandbox: {cpu_ms, cpu_share}` can raise the limits.',
  ),
  sandbox_memory: entry(
    503,
    'The sandbox of `{api}` was ended, it took too much memory: {reason}',
    'Keep less in memory; `sandbox: {memory_mb}` can raise the limit.',
  ),
  sandbox_flood: entry(
    503,
    'The sandbox of `{api}` was ended, it sent too much: {reason}',
    'Await calls and write fewer lines; `sandbox: {messages_max}` can raise the limit.',
  ),
  sandbox_crashed: entry(
    503,
    'The sandbox of `{api}` was ended: {reason}',
    'The module is started anew; when it happens again, look at what it did last.',
  ),
  sandbox_host_died: entry(
    503,
    'The process of this sandbox has ended: {reason}',
    'The cause was another module of its group or the process itself; `sandbox: {isolation: own}` keeps it apart.',
  ),
  sandbox_wall: entry(
    504,
    '`{api}` did not answer within {ms} ms',
    'The sandbox lives on; `sandbox: {wall_ms}` can raise the limit, background work has none.',
  ),
  sandbox_message_size: entry(
    413,
    'The value does not cross the boundary of the sandbox: {reason}',
    'Pass it in parts, or as a stream; `sandbox: {message_bytes_max}` can raise the limit.',
  ),
  sandbox_value: entry(
    400,
    'The value does not cross the boundary of the sandbox: {reason}',
    'Pass plain data: JSON values, Date, Map, Set, bytes, BigInt, and abort signals.',
  ),
  sandbox_not_here: entry(
    501,
    '{what} is not there in a sandbox',
    'docs/sandbox.md lists what is, and what to use instead.',
  ),
  sandbox_late_read: entry(
    400,
    'The stream of `{method}` was read too late',
    'Read it at once: `for await (const item of service.method(…))`.',
  ),
  import_refused: entry(422, 'The import of `{specifier}` is refused in a sandbox: {reason}', 'Instead: {instead}.'),

  // --- services ------------------------------------------------------------------------------------------------
  native_missing: entry(
    503,
    'The native package {package} is not usable here: {reason}',
    'Run `npm ci` again on this Node version ({node}).',
  ),
  sql_failed: entry(
    400,
    'The database refused the statement: {reason}',
    'Check the SQL and the number of parameters; values go in as parameters only.',
  ),
  sql_refused: entry(
    403,
    'This statement is refused: {reason}',
    'Use execute, query and transaction; ATTACH, PRAGMA and several statements at once are not open to callers.',
  ),
  path_outside: entry(
    403,
    'The path `{path}` leaves the root',
    'Use a path inside the root; `..` and links that point outside are refused.',
  ),
  path_protected: entry(
    403,
    'The path `{path}` is protected',
    'Secrets, `.env*`, tokens and the git folder cannot be reached through this service.',
  ),
  file_missing: entry(404, 'There is no file `{path}`', 'filesystem.list_files shows what is there.'),
  file_kind: entry(400, '`{path}` is {found}', 'Give the path of a regular file (or of a folder, to list it).'),
  fetch_refused: entry(
    403,
    '`{host}` may not be asked: {reason}',
    'List the host under `hosts:` in configs/services/fetch.yml, and an address that is not public under `private:`.',
  ),
  fetch_failed: entry(502, 'No good answer from `{host}`: {reason}', 'Ask again later, or look at the other side.'),
  fetch_timeout: entry(
    504,
    '`{host}` did not answer within {ms} ms',
    'Ask for less, or raise `timeout_ms` in configs/services/fetch.yml.',
  ),
  fetch_too_large: entry(
    413,
    'The {what} is larger than {limit} bytes',
    'Ask for a part of it, or raise the limit in configs/services/fetch.yml.',
  ),
  fetch_busy: entry(429, '{limit} requests are under way', 'Wait for their answers, or raise `open_max`.'),
  file_too_large: entry(
    413,
    '`{path}` has {bytes} bytes; the limit is {limit}',
    'Read a part of it with `offset` and `limit`.',
  ),
  file_exists: entry(409, 'There is a file `{path}` already', 'Choose another name, or change the one that is there.'),
  config_edit_failed: entry(
    422,
    'The key `{key}` cannot be changed: {reason}',
    'Nothing was written. config_read shows the file; filesystem_edit_file changes it as text.',
  ),
  edit_not_unique: entry(
    409,
    'The text to replace stands {count} times in `{path}`; it must stand there exactly once',
    'Copy a longer piece from the file, exactly as it stands there.',
  ),
  file_failed: entry(500, 'The file system refused `{path}`: {reason}', 'Check free space and permissions.'),
  tool_not_found: entry(404, 'There is no tool `{tool}`{near}', 'GET /api/tools lists the tools.'),
  bad_params: entry(400, 'The parameter `{param}` of `{tool}` is wrong: {reason}', 'Its signature: {signature}'),
  tool_output_limit: entry(
    413,
    'The result of `{tool}` has {bytes} bytes; the limit is {limit}',
    'Ask for less: a narrower query, a part of the file.',
  ),
  tool_refused: entry(
    403,
    'The call of `{tool}` was refused by `{hook}`: {reason}',
    'Nothing was run. Do it another way, or ask a person.',
  ),
  tool_waits: entry(
    403,
    'A person has to allow this call of `{tool}`: {reason}. It waits as the approval {approval}',
    'Nothing was run. `mm approve {approval}` runs exactly this call, once; do not call it again meanwhile.',
  ),
  tool_hook_failed: entry(
    503,
    'The hook `{hook}` did not judge the call of `{tool}`: {reason}',
    'Nothing was run: a hook that fails lets nothing through. `mm show {hook}` says more.',
  ),
  retry_id_reused: entry(
    409,
    'The id `{id}` was used for another call',
    'An id names one call with its parameters: give a new call a new id.',
  ),
  continuation_gone: entry(
    410,
    'The rest of this result is not kept any more',
    'Call the tool again; ask for less, or go on at once.',
  ),
  no_provider: entry(
    503,
    'No inference service is ready: {reason}',
    'Keep configs/inference/offline.yml, or set a key for configs/inference/openai.yml.',
  ),
  provider_failed: entry(
    502,
    'The provider `{provider}` failed: {reason}',
    'Check the key, the base_url and the network; `mm show {provider}`.',
  ),
  provider_unready: entry(
    503,
    'The provider `{provider}` is not usable: {reason}',
    'Set the environment variable it names, or use another provider.',
  ),
  provider_empty: entry(
    502,
    'The provider `{provider}` returned an empty answer',
    'Try again; if it stays, the model or base_url is wrong.',
  ),
  ask_limit: entry(
    429,
    '`{provider}` was not asked: {reason}',
    'Answer with what is known; the limits are in the config of the service `ask`.',
  ),
  chat_steps: entry(
    508,
    'The model was asked {limit} times and did not come to an end',
    'Write on to go on, ask for something smaller, or raise `steps_max` of the assistant.',
  ),
  chat_time: entry(
    504,
    'The turn took longer than {seconds} s',
    'Write on to go on, or raise `turn_seconds_max` of the assistant and its `limits: {drain_ms: …}` with it.',
  ),
  chat_cost: entry(
    402,
    'The turn has cost {cost} US dollars; the limit is {limit}',
    'Write on to go on, or raise `cost_usd_max` of the assistant.',
  ),
  chat_output: entry(
    502,
    'The model reached the limit of its output',
    'Write on to go on; `max_tokens` of the provider or `output_tokens_max` of the assistant may be too small.',
  ),
  chat_cancelled: entry(499, 'The turn was cancelled', 'What it had done is kept; write on to go on.'),
  chat_ended: entry(503, 'The system was stopped', 'What the turn had done is kept; write on to go on.'),
  chat_busy: entry(
    429,
    'The conversation `{conversation}` has {limit} messages waiting',
    'Wait for their answers, or cancel the turn that is under way.',
  ),
  chat_parked: entry(
    409,
    'The conversation waits for a decision on {approval}: {question}',
    '`mm approve {approval}` or `mm deny {approval} --reason …`; then it goes on.',
  ),
  conversation_missing: entry(
    404,
    'No conversation `{conversation}` is kept',
    '`mm call assistant.conversations` lists those that are; with a message one begins under this name.',
  ),
  approval_missing: entry(404, 'There is no approval `{approval}`', '`mm approvals` lists what waits.'),
  approval_decided: entry(
    409,
    'The approval `{approval}` is {outcome} already, by {by}',
    'A decision is made once; ask the assistant again.',
  ),
  call_unmarked: entry(
    403,
    'The call of `{tool}` was not run: one like it stands in a text that came from outside, and this one has no id',
    'If you want it yourself, write it again with the id that the instructions name behind the name of the tool.',
  ),
  call_not_run: entry(409, 'The call of `{tool}` was not run: {reason}', 'Call it again if it is still needed.'),
  call_cut: entry(
    409,
    'The call of `{tool}` was not waited for: {reason}',
    'It may have had its effect: look before you call it again.',
  ),
  prompt_missing: entry(404, 'There is no prompt file `{path}`', 'Create it under prompts/.'),

  // --- mcp -----------------------------------------------------------------------------------------------------
  mcp_confirm: entry(
    400,
    'The tool `{tool}` changes the system; it also needs {missing}',
    'Ask the person you work for, then call it again with both.',
  ),
  token_refused: entry(
    422,
    'The token `{name}` is refused: {reason}',
    'Write 32 or more random characters to runtime/secrets/{name} with mode 0600, and `token: secret:{name}` here.',
  ),
  mcp_session_lost: entry(
    503,
    'The system was started anew while it worked on this call',
    'Look whether it was done, then call again.',
  ),
  mcp_server_down: entry(
    503,
    'The MCP server of `{server}` is down: {reason}',
    'It is tried again by itself; `mm logs` has what it printed, `mm call {server}.connection` how it is.',
  ),
  mcp_tool_failed: entry(
    502,
    'The tool `{tool}` of the MCP server `{server}` failed: {reason}',
    'The server itself reported this.',
  ),
  mcp_sessions_full: entry(
    503,
    'All {limit} sessions are in use',
    'Close one, or raise `sessions_max` in the config of the service mcp.',
  ),

  // --- vector store --------------------------------------------------------------------------------------------
  collection_missing: entry(
    404,
    'There is no collection `{name}`',
    'Make it with get_or_create_collection; list_collections shows what is there.',
  ),
  collection_name: entry(
    400,
    'A collection cannot be called `{name}`',
    'Use 3 to 512 letters, digits, dots, dashes and underscores; the first and the last are a letter or a digit.',
  ),
  vector_duplicate: entry(
    409,
    'These ids are there already, in {name}: {ids}',
    'Nothing was added. Choose other ids, or change what is there with update().',
  ),
  vector_missing: entry(
    404,
    'These ids are not in {name}: {ids}',
    'Nothing was changed. Add them with add(), or get() what is there.',
  ),
  vector_dimension: entry(
    400,
    'The vectors of `{name}` have {expected} numbers; this one has {found}',
    'Use the embedder the collection was made with, or another collection.',
  ),
  embedder_mismatch: entry(
    409,
    'The vectors of `{name}` were made by {expected}, these by {found}',
    'They cannot be compared. Set the earlier `embedder:` again, or fill a new collection with the new one.',
  ),
  embedder_failed: entry(
    502,
    'The embedder {api} gave no usable vectors: {reason}',
    'Check that its model makes embeddings; `embedder: lexical` needs none.',
  ),
  where_invalid: entry(
    400,
    'The where filter is wrong: {reason}',
    'As {"year": {"$gt": 2020}}, or {"$and": [{"year": 2020}, {"tag": "a"}]}; see docs/memory.md.',
  ),
  vector_server: entry(
    503,
    'The Chroma server at {url} failed: {reason}',
    'Start it, or set `http_mode: false` to use the embedded store; calls work again as soon as it answers.',
  ),
  vector_limit: entry(
    413,
    'Over the limit: {what} may be at most {limit}',
    'Send or ask for less at once, or raise the limit in the config of the vector store.',
  ),

  // --- packages ------------------------------------------------------------------------------------------------
  package_name: entry(
    400,
    '`{id}` is not one exact version of a package: {reason}',
    'As `chromadb@3.5.0`: no range, no tag, no address.',
  ),
  package_unknown: entry(404, 'Nobody asked for the package `{id}`', '`mm packages` lists what was asked for.'),
  package_refused: entry(
    409,
    'The package {id} is not installed: {reason}',
    'An operator decides: `mm packages` shows what waits, `mm packages confirm {id}` allows it.',
  ),
  operator_only: entry(
    403,
    'Only an operator may {what}',
    'Use the command line, or send the token of runtime/token with the call; modules and models may only ask.',
  ),

  // --- control plane -------------------------------------------------------------------------------------------
  ledger_entry_invalid: entry(
    400,
    'The entry cannot be recorded: `{field}` is wrong: {reason}',
    'An entry has actor, origin, action, resource and outcome; its payload is plain JSON and small.',
  ),
  ledger_broken: entry(
    503,
    'The ledger is not what was written, from entry {at} on ({fault}): nothing is recorded, so nothing is changed',
    '`mm ledger verify` says what is wrong. Put runtime/control back from a backup, or move it away; it is read at the next reload of the service.',
  ),
  ledger_key_missing: entry(
    503,
    'The key of the ledger, {path}, is gone or damaged',
    'Put it back from a backup: without it no entry can be checked. A new ledger begins when runtime/control is moved away.',
  ),
  ledger_busy: entry(503, '{limit} entries wait for the disk already', 'Wait; the disk is slow or stands still.'),

  event_invalid: entry(
    400,
    'The event cannot be taken: `{field}` is wrong: {reason}',
    'An event has id, type, source, time, payload and signature; see docs/control-plane.md.',
  ),
  event_refused: entry(
    403,
    'The event {type} of {source} is refused: {reason}',
    'Signers, their trust and the types that are taken are in configs/control/events.yml. The refusal is in the ledger.',
  ),
  events_full: entry(503, '{limit} events wait to be sent on already', 'Send it again later.'),
  cycle_unknown: entry(404, 'The ledger has no cycle `{cycle}`', '`mm ledger evolution` lists them.'),
  approval_expired: entry(
    409,
    'The approval `{approval}` has expired',
    'It was not decided in time. Whoever asked may ask again.',
  ),
  approval_stale: entry(
    409,
    'The approval `{approval}` was asked for while {path} was another',
    'What was looked at then is not what would be changed now. Reject it; whoever asked may ask again.',
  ),
  approval_interrupted: entry(
    409,
    'What the approval `{approval}` allows had begun when the process ended, and is not done twice',
    'Look whether it was done. If not, ask for it again.',
  ),
  approval_failed: entry(
    409,
    'What the approval `{approval}` allows was tried and failed: {reason}',
    '`GET /api/approvals/{approval}` shows its outcome. It is decided; whoever asked may ask again.',
  ),
  approval_reason: entry(400, '{what} needs a written reason', 'Say why: it stands in the ledger.'),
  approvals_full: entry(503, '{limit} requests wait for a decision already', 'Decide on some; then ask again.'),
  snapshot_missing: entry(
    404,
    'There is no snapshot `{snapshot}`',
    '`GET /api/meta/signals` has the newest one, with its id.',
  ),
  metric_unknown: entry(
    400,
    'No metric has the path `{path}`{near}',
    'docs/metrics.md lists every path; these there are: {paths}',
  ),
  rule_invalid: entry(
    400,
    'The rule `{rule}` cannot be used: {reason}',
    'Conditions are {metric, comparator, threshold}; comparators are lt, le, gt, ge, eq and ne.',
  ),
  signal_invalid: entry(
    400,
    'The signal cannot be taken: `{field}` is wrong: {reason}',
    'A signal has source, priority (low, normal, high or urgent), payload and ttl_s.',
  ),
  loop_missing: entry(
    503,
    'The meta-loop cannot be asked: there is no service `{api}`',
    'It needs configs/control/meta-loop.yml and configs/control/metrics.yml; `mm ls` shows which services there are.',
  ),
  trigger_unknown: entry(
    400,
    'Nothing starts a cycle by the name `{trigger}`',
    'Triggers are manual, scheduled, emergency and signal.',
  ),
  proposal_missing: entry(404, 'There is no proposal `{proposal}`', '`mm changes` lists them.'),
  proposal_not_live: entry(
    409,
    'The proposal `{proposal}` is {state}: {reason}',
    'Only what is live, or was confirmed, can be taken back; `mm show change {proposal}` says what became of it.',
  ),
  proposal_not_approved: entry(
    403,
    'The proposal `{proposal}` was not approved as it stands',
    'It is applied by its approval only: `mm approve`. What was approved is what is applied.',
  ),
  proposal_failed: entry(
    409,
    'The proposal `{proposal}` is {state}: {reason}',
    'Nothing of it is on disk. `mm show change {proposal}` says more; it can be made anew from the files as they are.',
  ),
  proposals_full: entry(503, '{limit} proposals are open already', 'Decide on some of them; then propose again.'),
  changes_paused: entry(
    429,
    '{count} changes had to be taken back within {minutes} minutes: the system proposes nothing new for now',
    'It goes on by itself when they are past; what people propose, and ways back, are not held up.',
  ),

  // --- http ----------------------------------------------------------------------------------------------------
  unauthorized: entry(
    401,
    'The bearer token is missing or wrong',
    'Send `Authorization: Bearer <token>`; the token is in the file named by runtime/http.json.',
  ),
  token_scope: entry(
    403,
    'The token `{name}` may not do this: {reason}',
    'Use the token of runtime/token, or widen this one under `tokens:` of the http config.',
  ),
  rate_limited: entry(
    429,
    'More than {limit} requests a second',
    'Wait as long as Retry-After says; `requests_per_s` and `strangers_per_s` of the http config set the limits.',
  ),
  too_many_requests: entry(
    429,
    '{limit} requests are under way already',
    'Come again when some have ended, or raise `parallel_max` in the http config.',
  ),
  streams_full: entry(
    429,
    '{limit} event streams are open already',
    'Close one, or raise `streams_max` in the http config.',
  ),
  request_timeout: entry(
    408,
    'The request did not arrive in time',
    'Send it faster, or raise `headers_ms` and `request_ms` in the http config.',
  ),
  headers_too_large: entry(
    431,
    'The headers are too large',
    'Send less, or raise `header_bytes_max` in the http config.',
  ),
  host_refused: entry(
    403,
    'The Host `{host}` is not allowed',
    'Use the address in runtime/http.json, or add the name to `hosts:` in the http config.',
  ),
  origin_refused: entry(403, 'The Origin `{origin}` is not allowed', 'Add it to `origins:` in the http config.'),
  not_found: entry(404, 'There is nothing at {path}', 'GET /health and the docs list what is there.'),
  body_too_large: entry(
    413,
    'The body is larger than {limit} bytes',
    'Send less, or raise `body_bytes_max` in the http config.',
  ),
  bad_request: entry(400, 'The request is wrong: {reason}', 'See docs/http-api.md for the shape.'),
  unsupported_media: entry(415, 'The body must be JSON', 'Send `Content-Type: application/json`.'),
  port_in_use: entry(
    503,
    'Port {port} on {host} is in use',
    'Change `port:` in configs/services/http.yml (0 = any free port), or stop the other program.',
  ),
  dashboard_missing: entry(
    503,
    'The dashboard is not built',
    'Run `node scripts/ensure.mjs` in the checkout; an installed package brings it.',
  ),
  doctor_failed: entry(
    500,
    'The doctor could not look: {reason}',
    'Run `mm doctor` on the machine itself: it says more there.',
  ),

  // --- boot, command line --------------------------------------------------------------------------------------
  root_missing: entry(422, 'The root {root} has no {part}', 'Run `mm init {root}` to create one.'),
  last_good_broken: entry(
    500,
    'The last good version of {api} cannot be used: {reason}',
    'It is ignored. Fix what is on disk; the next version that runs well is kept anew.',
  ),
  root_in_use: entry(409, 'The root {root} is in use by process {pid}', 'Stop that one first, or use another --root.'),
  root_not_empty: entry(
    409,
    'The folder {root} is not empty',
    'Choose an empty folder, or add --force (existing files are kept).',
  ),
  no_meta: entry(
    422,
    'The root {root} has no configs/meta*.yml',
    'Run `mm init {root}`, or copy configs/meta-v1.0.0.yml.',
  ),
  no_kernel: entry(500, 'No kernel could be started: {reason}', 'Fix one of the meta files named.'),
  kernel_boot_timeout: entry(
    500,
    'The kernel did not boot within {ms} ms',
    'A kernel must plan its first reconcile quickly; see ARCHITECTURE.md.',
  ),
  kernel_state: entry(
    409,
    'The state of the running kernel cannot be taken over: {reason}',
    'A kernel reads the record of the version before it and writes its own; see docs/kernel.md.',
  ),
  kernel_busy: entry(
    409,
    'The kernel cannot be replaced now: {reason}',
    'It is tried again by itself; `mm kernel swap` tries now.',
  ),
  kernel_vet: entry(
    422,
    'The kernel failed on a system made up for the purpose: {reason}',
    'It was tried in a thread of its own; nothing that runs was touched. Fix it and save.',
  ),
  kernel_vet_timeout: entry(
    422,
    'The kernel did not get through its trial within {ms} ms',
    'An endless loop or a promise that never settles; the thread was ended, nothing that runs was touched.',
  ),
  kernel_adopt_timeout: entry(
    500,
    'The new kernel did not take over within {ms} ms',
    'The kernel before it serves on; adopt() and health() must settle.',
  ),
  kernel_unwell: entry(
    500,
    'The new kernel is not well: {reason}',
    'The kernel before it serves again; this one is tried again when its files change, or by `mm kernel swap`.',
  ),
  kernel_crashed: entry(
    500,
    'The process ended while kernel {version} was on probation',
    'The start fell back to another kernel; it is tried again when its files change, or by `mm kernel swap`.',
  ),
  trace_not_found: entry(
    404,
    'There is no trace {id}',
    '`mm trace` lists those that are kept; an id may be cut after four characters if only one begins so.',
  ),
  replay_unanswered: entry(
    409,
    'The answer of {api}.{method} was not recorded',
    'Set `record: {calls: all}` for the service that is replayed, and leave recording on for those it calls.',
  ),
  version_not_kept: entry(
    404,
    'No version {hash} of {api} is kept',
    'Kept are the version that serves, the one before it and the last good one; `mm show` names their hashes.',
  ),
  trial_refused: entry(
    409,
    '{api} cannot be tried beside the version that serves: {reason}',
    'Only what a module does by calls of its methods can be replayed; see docs/recordings.md.',
  ),
  not_reachable: entry(503, 'No system is running for the root {root}', 'Start it with `npm start` or `mm up`.'),
  backup_failed: entry(
    500,
    'The backup could not be made: {reason}',
    'Mend that and run `mm backup` again; nothing was written.',
  ),
  backup_damaged: entry(
    422,
    'The backup is not whole: {reason}',
    'Nothing was written. Take an older backup, or copy the file again.',
  ),
  version_missing: entry(
    404,
    'No version `{version}` of {api} is kept',
    '`mm changes --service {api} --all` lists them: take `g2`, `h12`, `live` or `disk`.',
  ),
  subject_unknown: entry(
    404,
    'Nothing is known about `{subject}`',
    'Name a service (`mm ls`), something that happened (`h12`, from `mm changes --all`), or the trace id of a call.',
  ),
  improvement_missing: entry(
    404,
    'There is no improvement {improvement}',
    '`mm improve --list` shows those that are kept, newest first.',
  ),
  improvement_running: entry(
    409,
    '{improvement} is improving {api} now',
    'Wait until it has ended (`mm improve --show {improvement}`), or name another service.',
  ),
  branch_refused: entry(
    409,
    '{proposal} becomes no branch: {reason}',
    'Branches are made of changes that a person approved and that are live; docs/branches.md says of which.',
  ),
  branch_base: entry(
    409,
    '{path} is another one in {base} than the change was made from',
    'Commit what stands there first, then `mm call branches make c1`; otherwise the branch would hold work of others.',
  ),
  git_failed: entry(
    502,
    'git {command} failed: {reason}',
    'The root has to stand in a git repository, with git installed.',
  ),
  pull_failed: entry(
    502,
    'The pull request in {repo} could not be opened: {reason}',
    'Look at `repo`, `api_url` and the token (`token_env`) in the config of `branches`; the branch itself is there.',
  ),
  usage: entry(400, '{reason}', '`mm --help` lists the commands.'),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

/** How an error looks when it leaves its place: over HTTP, in a status, in a ```result block. */
export interface ErrorData {
  code: string
  message: string
  hint: string
  /** Where the cause stands, when it stands in a file: path relative to the root, 1-based line and column. */
  file?: string
  line?: number
  column?: number
  /** Anything else that names the cause; plain data. */
  details?: Record<string, unknown>
}
