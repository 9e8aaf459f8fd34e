/** How the command line is used wrongly, and what it says then. Exit codes: 1 failed, 2 usage, 3 not reachable. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { mmHere } from '../support/cli.ts'
import { createProgram } from '../../cli/program.ts'
import { cleanEnv, mm } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
afterEach(() => {
  for (const root of roots.splice(0)) root.dispose()
})

function emptyRoot(): string {
  const root = createRoot()
  roots.push(root)
  return root.path
}

const ASKING: string[][] = [
  ['status'],
  ['ls'],
  ['show', 'http'],
  ['call', 'http.url'],
  ['tools'],
  ['reload', 'http'],
  ['chat', 'hello'],
  ['changes'],
  ['diff', 'x'],
  ['why', 'x'],
  ['approvals'],
  ['approve', 'x'],
  ['deny', 'x', '--reason', 'no'],
]

it('the version is that of the package, and no command is needed for it', async () => {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  for (const option of ['--version', '-V'])
    expect(await mmHere('.', option)).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
})

it('an unknown command is named and exits with 2', async () => {
  const { code, stdout, stderr } = await mm(emptyRoot(), 'bogus')
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/command `bogus`/)
})

it('an unknown command that is near a known one suggests it', async () => {
  const root = emptyRoot()
  for (const [wrong, right] of [
    ['reloda', 'reload'],
    ['statsu', 'status'],
    ['thwa', 'thaw'],
  ] as const) {
    const { code, stderr } = await mmHere(root, wrong, 'x')
    expect(code).toBe(2)
    expect(stderr).toContain(`command \`${wrong}\``)
    expect(stderr).toContain(`\`${right}\``)
  }
})

it('an unknown option is named and exits with 2', async () => {
  const root = emptyRoot()
  for (const args of [['--bogus'], ['status', '--bogus'], ['up', '--bogus'], ['reload', 'http', '--bogus']]) {
    const { code, stderr } = await mmHere(root, ...args)
    expect([args, code]).toEqual([args, 2])
    expect(stderr).toContain('--bogus')
  }
})

it('a missing or an extra argument exits with 2', async () => {
  const root = emptyRoot()
  for (const args of [['show'], ['reload'], ['init'], ['call'], ['show', 'a', 'b'], ['status', 'x']]) {
    expect([args, (await mmHere(root, ...args)).code]).toEqual([args, 2])
  }
})

it('a wrong value of an option exits with 2 and says what is right', async () => {
  const root = emptyRoot()
  for (const args of [
    ['call', 'database'],
    ['call', 'database.query', '--deadline', 'soon'],
    ['call', 'database.query', '--deadline', '0'],
    ['logs', '--level', 'loud'],
    ['logs', '-n', 'many'],
    ['logs', '-n', '-1'],
  ]) {
    const { code, stderr } = await mmHere(root, ...args)
    expect([args, code]).toEqual([args, 2])
    expect(stderr).not.toContain('    at ')
  }
})

it('what needs a running system exits with 3 when none runs, and says how to start it', async () => {
  const root = emptyRoot()
  for (const args of ASKING) {
    const { code, stdout, stderr } = await mmHere(root, ...args)
    expect([args, code, stdout]).toEqual([args, 3, ''])
    expect(stderr).toContain('No system is running')
    expect(stderr).toContain('mm up')
  }
})

it('with --json an error is JSON on stderr and stdout stays empty', async () => {
  const root = emptyRoot()
  for (const args of ASKING) {
    const { code, stdout, stderr } = await mmHere(root, ...args, '--json')
    expect([args, code, stdout]).toEqual([args, 3, ''])
    expect((JSON.parse(stderr) as { error: { code: string } }).error.code).toBe('not_reachable')
  }
  const usage = await mm(root, 'call', 'database', '--json')
  expect([usage.code, (JSON.parse(usage.stderr) as { error: { code: string } }).error.code]).toEqual([2, 'usage'])
})

it('with --json a mistyped option, a missing and an extra argument are JSON too, and nothing else is written', async () => {
  const root = emptyRoot()
  for (const [args, named] of [
    [['ls', '--bogus'], '--bogus'],
    [['--bogus'], '--bogus'],
    [['show'], 'service'],
    [['status', 'x'], 'arguments'],
    [['nonsense'], 'nonsense'],
    [['config'], 'subcommand'],
    [['completion', 'tcsh'], 'bash'],
  ] as const) {
    const { code, stdout, stderr } = await mmHere(root, ...args, '--json')
    expect([args, code, stdout]).toEqual([args, 2, ''])
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string } }
    expect([args, error.code]).toEqual([args, 'usage'])
    expect(error.message).toContain(named)
    expect(error.hint).toContain('mm --help')
  }
})

it('an address file left behind by a dead system is not reachable, not a crash', async () => {
  const root = createRoot({
    'runtime/http.json': '{"url": "http://127.0.0.1:9", "pid": 1, "supervisor_pid": 1, "token_file": "token"}\n',
  })
  roots.push(root)
  expect((await mmHere(root.path, 'status')).code).toBe(3)
  root.write('runtime/token', 'x'.repeat(64))
  root.write(
    'runtime/http.json',
    root.read('runtime/http.json').replace('"token"', JSON.stringify(`${root.path}/runtime/token`)),
  )
  expect((await mmHere(root.path, 'status')).code).toBe(3)
  root.write('runtime/http.json', '{"url": "http://127')
  const { code, stderr } = await mmHere(root.path, 'status')
  expect(code).toBe(3)
  expect(stderr).not.toContain('    at ')
})

it('help lists every command and exits with 0', async () => {
  const { code, stdout } = await mm('.', '--help')
  expect(code).toBe(0)
  for (const name of [
    'up',
    'init',
    'status',
    'ls',
    'show',
    'call',
    'tools',
    'reload',
    'chat',
    'approvals',
    'approve',
    'deny',
    'logs',
    'freeze',
    'thaw',
  ])
    expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
})

it('who reads may go before the end: that is no failure', async () => {
  const child = spawn(process.execPath, [join(packageRoot, 'bin/mm.js'), 'completion', 'bash'], {
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect([code, stderr]).toEqual([0, ''])
})

it('chat without a message and without a terminal is a usage error', async () => {
  const { code, stderr } = await mmHere(emptyRoot(), 'chat')
  expect(code).toBe(2)
  expect(stderr).toContain('mm chat')
})

it('each command is found alone as it is among all', async () => {
  const all = await createProgram(() => undefined)
  for (const command of all.commands.map((one) => one.name())) {
    const alone = await createProgram(() => undefined, command)
    expect([command, alone.commands.length < all.commands.length]).toEqual([command, true])
    const [help, helpAmongAll] = [alone, all].map((one) => one.commands.find((found) => found.name() === command))
    expect([command, help?.helpInformation()]).toEqual([command, helpAmongAll?.helpInformation()])
  }
})
