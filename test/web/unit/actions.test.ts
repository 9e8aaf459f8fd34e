/**
 * What a button of the page does, `mm` does as well: each command that the page can show is taken by the real `mm`, word
 * by word as a shell reads it, and asks the API for the same as the page does.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command as Commander } from 'commander'
import { afterEach, expect, it, vi } from 'vitest'
import { payloadOf } from '../../../cli/payload.ts'
import { createProgram } from '../../../cli/program.ts'
import { TOUR } from '../../../cli/tour/steps.ts'
import { freezeText } from '../../../modules/lib/freeze.ts'
import { COMMANDS, commandOf, filled, type Command, type CommandName } from '../../../web/src/commands.ts'
import { wishBody, wishCommand, type Wish } from '../../../web/src/pages/changes/wish.ts'
import { bodyOf, decisionCommand, type Said } from '../../../web/src/pages/inbox/words.ts'
import { changeOf, NOTHING, questionCommand, type Asked } from '../../../web/src/pages/policy/asked.ts'
import { mmHere } from '../../support/cli.ts'
import { createRoot, packageRoot, type TestRoot } from '../../support/root.ts'

const WEB = join(packageRoot, 'web', 'src')
const sources = readdirSync(WEB, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name))
const textOf = (file: string): string => readFileSync(join(WEB, file), 'utf8')

const NAMES = Object.keys(COMMANDS) as CommandName[]
/** What a shell would do something with, and what an option looks like. */
const HOSTILE = `it's "x" $HOME \`id\` \\ * --all`

const namesIn = (template: string): string[] => [...template.matchAll(/\{([.\w]+)\}/g)].map(([, name = '']) => name)
const hostile = (template: string): Record<string, string | string[]> =>
  Object.fromEntries(
    namesIn(template).map((name, at) => [
      name.replace('...', ''),
      name.startsWith('...') ? [`${at} ${HOSTILE}`, 'second'] : `${at} ${HOSTILE}`,
    ]),
  )

/** The words of a line as a shell hands them on. */
const shellWords = (line: string): string[] =>
  execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)

/** The real program, which tells what it was given instead of doing it. */
async function parsed(words: readonly string[]): Promise<{ command: string; given: unknown[] } | undefined> {
  let found: { command: string; given: unknown[] } | undefined
  const program = await createProgram(() => undefined)
  const listen = (command: Commander, path: string): void => {
    command.action((...args: unknown[]) => {
      const options = args.at(-2) as Record<string, unknown>
      found = { command: path, given: [...args.slice(0, -2).flat(), ...Object.values(options)] }
    })
    for (const below of command.commands) listen(below, `${path} ${below.name()}`)
  }
  for (const command of program.commands) listen(command, `mm ${command.name()}`)
  program.parse([...words], { from: 'user' })
  return found
}

it('what is given to a command arrives there as it was written, whatever stands in it', async () => {
  for (const name of NAMES) {
    const template = COMMANDS[name]
    const given = hostile(template)
    const line = filled(template, given)
    const [first, ...words] = shellWords(line)
    expect([line, first]).toEqual([line, 'mm'])
    const found = await parsed(words)
    const wanted = Object.values(given).flat()
    expect([line, wanted.filter((value) => found?.given.includes(value) !== true)]).toEqual([line, []])
    const said = template.replace(/ [[{-].*/, '')
    expect([line, found?.command.startsWith(said.split(' ').slice(0, 2).join(' '))]).toEqual([line, true])
  }
})

it('what may be left out is left out, and the line is a command still', async () => {
  for (const name of NAMES) {
    const template: string = COMMANDS[name]
    const optional = [...template.matchAll(/\[[^\]]*\]/g)].flatMap(([part]) => namesIn(part))
    const given = Object.fromEntries(Object.entries(hostile(template)).filter(([key]) => !optional.includes(key)))
    const line = filled(template, given)
    expect(line).not.toMatch(/[[\]{}]/)
    expect([line, (await parsed(shellWords(line).slice(1))) !== undefined]).toEqual([line, true])
  }
})

it('nothing on a page makes a command but the table, and every entry of it is shown somewhere', () => {
  const others = sources.filter((file) => file !== 'commands.ts')
  const made = others.filter((file) => /command(?:=|: )\{?["'`]/.test(textOf(file)))
  expect(made).toEqual([])
  const all = others.map(textOf).join('\n')
  expect(NAMES.filter((name) => !all.includes(`'${name}'`))).toEqual([])
})

it('a command that is named in a sentence is one of mm', async () => {
  const program = await createProgram(() => undefined)
  const wrong = sources.flatMap((file) =>
    [...textOf(file).matchAll(/(?:`|<code>|with |['"])mm ([a-z][\w-]*)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !program.commands.some((one) => one.name() === name))
      .map((name) => `${file}: mm ${name}`),
  )
  const byHand = TOUR.flatMap(({ hand }) => [...hand.matchAll(/\bmm ([a-z][\w-]*)/g)].map(([, name = '']) => name))
  expect(byHand.length).toBeGreaterThan(0)
  expect([wrong, byHand.filter((name) => !program.commands.some((one) => one.name() === name))]).toEqual([[], []])
})

// --- the same as the page ---------------------------------------------------------------------------------------------

let root: TestRoot | undefined
afterEach(() => {
  vi.unstubAllGlobals()
  root?.dispose()
  root = undefined
})

interface Sent {
  call: string
  body: unknown
}

const IMPROVEMENT = { id: 'i1', state: 'submitted', attempts: [], proposal_id: null, cost_usd: 0, message: '' }
/** What commands that ask more than once go on with. */
const ANSWERS: Record<string, unknown> = {
  'GET /api/configs': { configs: [{ file: 'configs/shop.yml', values: [{ key: 'size', value: 2 }] }] },
  'POST /api/changes': { id: 'c1', state: 'confirmed', message: '' },
  'POST /api/meta/rules/draft': { file: 'configs/loop.yml', base_hash: 'h', before: '', text: 'rules: []' },
  'POST /api/improve': IMPROVEMENT,
  'GET /api/improve/i1': IMPROVEMENT,
}

/** What the real `mm` asks a system for. */
async function sentBy({ text }: Command): Promise<Sent[]> {
  root?.dispose()
  root = createRoot({ 'runtime/token': 'secret', 'configs/meta-v1.0.0.yml': 'prog: kernel\n' })
  const token_file = join(root.path, 'runtime', 'token')
  root.write('runtime/http.json', JSON.stringify({ url: 'http://x', pid: process.pid, supervisor_pid: 0, token_file }))
  const sent: Sent[] = []
  vi.stubGlobal('fetch', (url: string, { method = 'GET', body }: { method?: string; body?: string } = {}) => {
    const call = `${method} ${url.slice('http://x'.length)}`
    sent.push({ call, body: body === undefined ? undefined : (JSON.parse(body) as unknown) })
    return Promise.resolve(Response.json(ANSWERS[call] ?? {}))
  })
  await mmHere(root.path, ...shellWords(text).slice(1))
  return sent
}

const api = { service: 'shop' }
const RULE = { name: 'slow', conditions: [], severity: 'warning' }

/** What buttons change: the command, its place in the API, and what the page sends there. */
const CHANGING: readonly { command: Command; call: string; page?: string; body?: unknown }[] = [
  { command: commandOf('reload', api), call: 'POST /api/services/{api}/reload' },
  { command: commandOf('rollback', api), call: 'POST /api/services/{api}/rollback' },
  { command: commandOf('release', api), call: 'POST /api/services/{api}/release' },
  { command: commandOf('undo', { what: 'shop' }), call: 'POST /api/services/{api}/undo' },
  { command: commandOf('undo', { what: 'c12' }), call: 'POST /api/changes/{id}/undo' },
  { command: commandOf('swap'), call: 'POST /api/kernel/swap', body: {} },
  { command: commandOf('verify'), call: 'GET /api/ledger/verify' },
  { command: commandOf('cycle'), call: 'POST /api/meta-loop/trigger', body: { trigger: 'manual' } },
  { command: commandOf('cycle_at_once'), call: 'POST /api/meta-loop/trigger', body: { trigger: 'emergency' } },
  {
    command: commandOf('away'),
    call: 'POST /api/meta-loop/nirmana?activate=true',
    page: 'POST /api/meta-loop/nirmana',
  },
  {
    command: commandOf('back'),
    call: 'POST /api/meta-loop/nirmana?activate=false',
    page: 'POST /api/meta-loop/nirmana',
  },
  {
    command: commandOf('signal', { source: 'ada', payload: '{"n": 1}', priority: 'high' }),
    call: 'POST /api/meta-loop/signal',
    body: { source: 'ada', priority: 'high', payload: payloadOf('{"n": 1}') },
  },
  {
    command: commandOf('set_rule', { rule: JSON.stringify(RULE) }),
    call: 'POST /api/meta/rules/draft',
    body: { set: RULE },
  },
  { command: commandOf('remove_rule', { name: 'slow' }), call: 'POST /api/meta/rules/draft', body: { remove: 'slow' } },
  {
    command: commandOf('replay', { service: 'shop', version: 'abc' }),
    call: 'POST /api/services/{api}/replay',
    body: { against: 'abc' },
  },
  {
    // The route of the page calls the same method.
    command: commandOf('forget', api),
    call: 'POST /api/services/recordings/call',
    page: 'DELETE /api/services/{api}/recordings',
    body: { method: 'forget', args: ['shop'] },
  },
]

const filledIn = (call: string): string => call.replace('{api}', 'shop').replace('{id}', 'c12')

it('a command asks for what the button beside it asks for', async () => {
  for (const { command, call, page = call, body } of CHANGING) {
    const sent = await sentBy(command)
    const found = sent.find((one) => one.call === filledIn(call))
    expect([command.text, sent.map((one) => one.call).includes(filledIn(call))]).toEqual([command.text, true])
    if (body !== undefined) expect([command.text, found?.body]).toEqual([command.text, body])
    const folders = sources.filter((file) => textOf(file).includes(`'${command.name}'`)).map((file) => dirname(file))
    const asks = sources.filter((file) => folders.includes(dirname(file)) && textOf(file).includes(`'${page}'`))
    expect([command.text, asks.length > 0]).toEqual([command.text, true])
  }
})

it('a rule is written by the same change as on the page', async () => {
  const [, change] = await sentBy(commandOf('set_rule', { rule: JSON.stringify(RULE) }))
  expect(change).toMatchObject({
    call: 'POST /api/changes',
    body: { service: 'meta-loop', edits: [{ path: 'configs/loop.yml', base_hash: 'h', text: 'rules: []' }] },
  })
})

const SAID: Said = { reason: `it's "right"`, scope: 'service', hours: '8' }
const WISH: Wish = { service: 'shop', goal: 'be `quick`', provider: 'offline', budget: '0.5', tries: '2' }

it('what a form holds is sent by its command as by the page', async () => {
  const { by: _by, ...decided } = bodyOf(true, SAID)
  expect(await sentBy(decisionCommand('a1', true, SAID))).toMatchObject([
    { call: 'POST /api/approvals/a1', body: decided },
  ])
  expect(await sentBy(decisionCommand('a1', false, SAID))).toMatchObject([
    { call: 'POST /api/approvals/a1', body: { approved: false, note: SAID.reason } },
  ])
  expect((await sentBy(wishCommand(WISH)))[0]).toEqual({ call: 'POST /api/improve', body: wishBody(WISH) })
  expect((await sentBy(wishCommand({ ...WISH, provider: '', budget: '', tries: '' })))[0]?.body).toEqual({
    service: 'shop',
    goal: 'be `quick`',
  })
})

it('a question to the policy is the same on the command line', async () => {
  const asked: Partial<Asked>[] = [
    { kind: 'value', path: 'configs/shop.yml', key: 'size', value: '{"deep": "a b"}' },
    { kind: 'file', path: 'modules/none yet.ts', operation: 'create' },
    { kind: 'file', path: 'configs/meta-v1.0.0.yml', operation: 'delete' },
    { kind: 'tool', tool: 'files_read', params: '{"path": "a b", "n": 1, "text": "1", "list": ["x"]}' },
  ]
  for (const one of asked) {
    const question = { ...NOTHING, actor: 'ada', ...one }
    const sent = await sentBy(questionCommand(question) as Command)
    const change = changeOf(question, question.kind === 'value' ? 2 : undefined)
    expect(sent.at(-1)).toEqual({ call: 'POST /api/policy/check', body: { changes: [change], actor: 'ada' } })
  }
})

it('a freeze by the command line is the file that the page asks for', async () => {
  for (const scope of ['self', 'all'] as const) {
    const reason = `a look at "all" of it`
    await sentBy(scope === 'all' ? commandOf('freeze_all', { reason }) : commandOf('freeze', { reason }))
    expect(readFileSync(join(root?.path ?? '', 'runtime', 'FREEZE'), 'utf8')).toBe(freezeText(scope, reason))
  }
})

it('what changes something is an Action: no other part of a page asks for more than to read', () => {
  // What may send by itself: the chat, whose message is the action, and questions that change nothing.
  const asking = /ask\(\s*'(?:POST|PUT|PATCH|DELETE) ([^']+)'/g
  const HARMLESS = ['/api/plan', '/api/policy/check', '/api/chat', '/api/meta/rules/preview']
  const wrong = sources
    .filter((file) => file.endsWith('.tsx') && !/<Action\b/.test(textOf(file)))
    .flatMap((file) => [...textOf(file).matchAll(asking)].map(([, path = '']) => `${file}: ${path}`))
    .filter((found) => !HARMLESS.some((path) => found.endsWith(`: ${path}`)))
  expect(wrong).toEqual([])
})
