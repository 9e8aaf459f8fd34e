/** `mm completion`: the scripts, run by the shells that are there. */
import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { mmHere } from '../support/cli.ts'
import { cleanEnv, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

/** Some ask a real system by processes of their own. */
vi.setConfig({ testTimeout: 120_000 })

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const isThere = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0

/** A root with the script of a shell, and a command `mm` as npm puts it on the path. */
async function prepare(shell: string, files: Record<string, string> = {}): Promise<TestRoot> {
  const root = createRoot(files)
  roots.push(root)
  root.write('bin/mm', `#!/bin/sh\nexec ${process.execPath} ${join(packageRoot, 'bin/mm.js')} "$@"\n`)
  chmodSync(join(root.path, 'bin/mm'), 0o755)
  const { code, stdout } = await mmHere(root.path, 'completion', shell)
  expect(code).toBe(0)
  root.write('completion', stdout)
  return root
}

/** What bash offers where the line ends. */
function bashOffers(root: TestRoot, line: string): string[] {
  const words = line.split(' ')
  const script = `source completion
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
compopt() { :; }
_mm
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script], {
    cwd: root.path,
    encoding: 'utf8',
    env: { ...cleanEnv(), PATH: `${root.path}/bin:${process.env['PATH']}` },
  })
  expect(stderr).toBe('')
  return stdout.split('\n').filter((one) => one !== '')
}

it.runIf(isThere('bash'))('bash completes commands, subcommands, options, values and files', async () => {
  const root = await prepare('bash')
  expect(bashOffers(root, 'mm relo')).toEqual(['reload'])
  expect(bashOffers(root, 'mm st')).toEqual(['status'])
  expect(bashOffers(root, 'mm kernel ')).toEqual(['swap'])
  expect(bashOffers(root, 'mm --json packages con')).toEqual(['confirm'])
  expect(bashOffers(root, 'mm logs --le')).toEqual(['--level'])
  expect(bashOffers(root, 'mm logs --js')).toEqual(['--json'])
  expect(bashOffers(root, 'mm completion f')).toEqual(['fish'])
  expect(bashOffers(root, 'mm plan con')).toEqual(['configs'])
  expect(bashOffers(root, 'mm --root con')).toEqual(['configs'])
  expect(bashOffers(root, 'mm logs --level ')).toEqual([])
  expect(bashOffers(root, 'mm status ')).toEqual([])
})

it.runIf(isThere('bash'))(
  'bash completes names of services from the system that the line names, and none without one',
  async () => {
    const root = await prepare('bash', {
      'configs/http.yml': 'prog: services/http\nport: 0\n',
      'configs/tea/shop.yml': 'prog: quiet\n',
      'modules/quiet.ts': 'export class Module {}\n',
    })
    expect(bashOffers(root, 'mm show ')).toEqual([])
    running.push(await startProcess(root))
    expect(bashOffers(root, 'mm show t')).toEqual(['tea/shop'])
    expect(bashOffers(root, 'mm show tea/shop ')).toEqual([])
    expect(bashOffers(root, 'mm logs --service ')).toEqual(['http', 'kernel', 'tea/shop'])
    const other = await prepare('bash')
    expect(bashOffers(other, `mm --root ${root.path} reload h`)).toEqual(['http'])
  },
)

it.runIf(isThere('zsh'))('zsh takes its script, and offers commands, subcommands, options and files', async () => {
  const root = await prepare('zsh')
  const zsh = (script: string): string[] => {
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], {
      cwd: root.path,
      encoding: 'utf8',
      env: { ...cleanEnv(), HOME: root.path, PATH: `${root.path}/bin:${process.env['PATH']}` },
    })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((one) => one !== '')
  }
  expect(zsh('autoload -Uz compinit && compinit -u -D && source completion && print $_comps[mm]')).toEqual(['_mm'])
  // What is handed to zsh, which keeps what fits the word.
  const offers = (line: string): string[] => {
    const words = line.split(' ')
    const told = zsh(`compdef() { : }
_describe() { print -rl -- \${(P)2} }
_files() { print files }
source completion
words=(${words.map((word) => `'${word}'`).join(' ')}) CURRENT=${words.length}
_mm`)
    return told.map((one) => one.split(':')[0] ?? '')
  }
  expect(offers('mm relo')).toEqual(expect.arrayContaining(['reload', 'status', 'kernel']))
  expect(offers('mm kernel ')).toEqual(['swap'])
  expect(offers('mm logs --le')).toEqual(expect.arrayContaining(['--level', '--json']))
  expect(offers('mm --json packages con')).toContain('confirm')
  expect(offers('mm plan con')).toEqual(['files'])
  expect(offers('mm status ')).toEqual([])
})

it.runIf(isThere('fish'))('fish completes commands, subcommands and options', async () => {
  const root = await prepare('fish')
  const offers = (line: string): string[] => {
    const script = `source completion; complete -C '${line}'`
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], {
      cwd: root.path,
      encoding: 'utf8',
      env: { ...cleanEnv(), HOME: root.path, PATH: `${root.path}/bin:${process.env['PATH']}` },
    })
    expect(stderr).toBe('')
    return stdout.split('\n').flatMap((one) => (one === '' ? [] : [one.split('\t')[0] ?? '']))
  }
  expect(offers('mm relo')).toEqual(['reload'])
  expect(offers('mm kernel ')).toContain('swap')
  expect(offers('mm logs --le')).toEqual(['--level'])
})

it('every shell gets every command', async () => {
  const root = createRoot()
  roots.push(root)
  const help = (await mmHere(root.path, '--help')).stdout
  const names = [...help.matchAll(/^ {2}([a-z]+)(\|| |$)/gm)]
    .map((found) => found[1] ?? '')
    .filter((name) => name !== 'help')
  expect(names.length).toBeGreaterThan(20)
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await mmHere(root.path, 'completion', shell)
    for (const name of names) expect([shell, name, stdout.includes(name)]).toEqual([shell, name, true])
  }
})
