/** The tools that come with the product, as a program calls them over HTTP: each does its work, and refuses in words. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'
import { withTools } from '../support/tools.ts'

const shipped = (path: string): string => readFileSync(join(packageRoot, 'configs', `${path}.yml`), 'utf8')

let system: TestSystem
// One system for all: no case is in the way of another.
beforeAll(async () => {
  const services = ['tools', 'filesystem', 'database', 'config', 'module'].map((name) => `services/${name}`)
  const control = ['ledger', 'policy', 'approvals'].map((name) => `control/${name}`)
  system = await startSystem({
    ...Object.fromEntries([...services, ...control].map((path) => [`configs/${path}.yml`, shipped(path)])),
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/demo.yml': '# the demo\nword: one # spoken\n',
    'modules/demo.ts': withTools(`{ say: tool({ description: 'Says.', params: z.object({}), run: () => 'said' }) }`),
    'notes.txt': 'one\ntwo\n',
    'edited.txt': 'one\n2\n',
    'old.txt': 'x',
    'gone.txt': 'x',
  })
})
afterAll(() => system.stop())

interface Answer {
  status: number
  value?: unknown
  error?: { code: string; message: string; hint: string }
}

async function post(tool: string, params: object = {}): Promise<Answer> {
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const response = await fetch(`${url}/api/tools/${tool}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${system.root.read('runtime/token').trim()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(params),
  })
  return { ...((await response.json()) as object), status: response.status }
}

const SAY = withTools(`{ say: tool({ description: 'x', params: z.object({}), run: () => 'hello' }) }`)

describe('what they do', () => {
  it.each<[string, object, unknown]>([
    ['filesystem_read_file', { path: 'notes.txt' }, { content: 'one\ntwo\n' }],
    ['filesystem_list_files', {}, { path: '.' }],
    ['filesystem_search_files', { text: 'two', path: '.' }, { matches: [{ path: 'notes.txt', line: 2 }] }],
    ['filesystem_write_file', { path: 'new.txt', content: 'x' }, { path: 'new.txt', before: null }],
    ['filesystem_edit_file', { path: 'edited.txt', old_text: '2', new_text: 'two' }, { line: 2 }],
    ['filesystem_move_file', { from: 'old.txt', to: 'moved.txt' }, { to: 'moved.txt' }],
    ['filesystem_delete_file', { path: 'gone.txt' }, { path: 'gone.txt' }],
    ['database_tables', {}, { tables: [] }],
    ['database_execute', { sql: 'CREATE TABLE t (a)' }, { changes: 0 }],
    ['database_query', { sql: 'SELECT ? AS a', params: ['x'] }, { rows: [{ a: 'x' }], truncated: false }],
    ['kernel_status', {}, { status: 'ok' }],
    ['kernel_list_services', {}, {}],
    ['kernel_show_service', { service: 'demo' }, { api: 'demo', tools: ['say'] }],
    ['kernel_show_config', { service: 'demo' }, { configs: [{ values: [{ key: 'word', value: 'one' }] }] }],
    ['kernel_pending_changes', {}, { changes: [] }],
    ['kernel_recent_events', { pattern: 'service.live', count: 1 }, { events: [{ type: 'service.live' }] }],
    ['kernel_reload_service', { service: 'demo' }, { ok: true, generation: 2 }],
    ['config_read', { service: 'demo' }, { file: 'configs/demo.yml' }],
    ['config_edit', { service: 'demo', set: { word: 'two' } }, { landed: { state: 'live', generation: 3 } }],
    ['module_read', { service: 'demo' }, { file: 'modules/demo.ts' }],
    ['module_create', { name: 'fresh', source: SAY }, { landed: [{ service: 'fresh', state: 'live' }] }],
    ['tools_find', { text: 'demo_say' }, {}],
  ])('%s %j', async (tool, params, value) => {
    expect(await post(tool, params)).toMatchObject({ status: 200, value })
  })

  it('a service is made, changed, configured and undone from outside', async () => {
    await post('module_create', { name: 'made', source: SAY })
    expect(await post('made_say')).toMatchObject({ value: 'hello' })
    const { value } = await post('module_read', { service: 'made' })
    const { hash, source } = value as { hash: string; source: string }
    const changed = source.replace('hello', 'good day')
    expect(await post('module_update', { service: 'made', source: changed, base: hash })).toMatchObject({
      status: 200,
    })
    expect(await post('made_say')).toMatchObject({ value: 'good day' })
    expect(await post('kernel_undo_change', { service: 'made' })).toMatchObject({ value: { ok: true } })
    expect(await post('made_say')).toMatchObject({ value: 'hello' })
    expect(system.root.read('modules/made.ts')).toBe(SAY)
  })
})

describe('what they refuse', () => {
  it.each<[string, object, number, string]>([
    ['filesystem_read_file', { path: 'runtime/token' }, 403, 'path_protected'],
    ['filesystem_write_file', { path: 'modules/kernel/kernel.ts', content: 'x' }, 403, 'path_protected'],
    ['filesystem_write_file', { path: 'notes.txt', content: 'x', base: 'old' }, 409, 'file_changed'],
    [
      'filesystem_edit_file',
      { path: 'configs/meta-v1.0.0.yml', old_text: 'prog', new_text: 'x' },
      403,
      'path_protected',
    ],
    ['filesystem_move_file', { from: 'notes.txt', to: '.env' }, 403, 'path_protected'],
    ['filesystem_delete_file', { path: 'runtime/data.db' }, 403, 'path_protected'],
    ['database_query', { sql: 'DELETE FROM t' }, 403, 'sql_refused'],
    ['database_execute', { sql: 'ATTACH "x" AS y' }, 403, 'sql_refused'],
    ['kernel_show_service', { service: 'demmo' }, 404, 'service_not_found'],
    ['kernel_rollback_service', { service: 'database' }, 409, 'nothing_to_roll_back'],
    ['config_edit', { service: 'tools', set: { deadline_ms: -1 } }, 422, 'config_invalid'],
    ['config_edit', { service: 'demo', set: { prog: 'other' } }, 422, 'config_edit_failed'],
    ['module_create', { name: 'kernel/more', source: SAY }, 403, 'path_protected'],
    ['module_create', { name: 'demo', source: SAY }, 409, 'file_exists'],
    ['module_update', { service: 'demo', source: SAY, base: 'old' }, 409, 'file_changed'],
    ['tools_continue', { token: 'none', offset: 0 }, 410, 'continuation_gone'],
    ['shell_run', { command: 'ls' }, 404, 'tool_not_found'],
  ])('%s %j', async (tool, params, status, code) => {
    expect(await post(tool, params)).toMatchObject({
      status,
      error: { code, hint: expect.stringMatching(/./) as string },
    })
  })
})
