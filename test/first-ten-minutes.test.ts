/** docs/first-ten-minutes.md, step by step, against the real process in a root of its own made by `mm init`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { mm, startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, packageRoot, type TestRoot } from './support/root.ts'

let root: TestRoot | undefined
let system: RunningSystem | undefined
afterEach(async () => {
  await system?.stop()
  root?.dispose()
})

const page = readFileSync(join(packageRoot, 'docs/first-ten-minutes.md'), 'utf8')

/** The n-th fenced block of a language on the page: the test uses what the reader is told to type. */
function block(language: string, index: number): string {
  const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter((found) => found[1] === language)
  const text = blocks[index]?.[2]
  if (text === undefined) throw new Error(`no block ${index} of ${language}`)
  return text
}

const commandLine = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await mm((root as TestRoot).path, ...args)
  if (code !== 0) throw new Error(`mm ${args.join(' ')}: ${code}\n${stdout}${stderr}`)
  return stdout
}

/** Step 10: a newer kernel, a broken one, and back, beside a service that counts. */
async function replaceKernel({ write, remove }: TestRoot, { line }: RunningSystem): Promise<void> {
  const count = async (): Promise<number> => Number(await commandLine('call', 'counter.count'))
  const counter = line(/counter {2}g1 live/)
  write('modules/counter.ts', block('ts', 1))
  write('configs/counter.yml', block('yaml', 1))
  await counter

  const newer = line(/kernel 1\.0\.0 → 2\.0\.0 {2}paused [\d.]+ ms/)
  write('configs/meta-v2.0.0.yml', block('yaml', 2))
  await newer
  const first = await count()
  const refused = line(/kernel 3\.0\.0 \(configs\/meta-v3\.0\.0\.yml\) refused: .*not today.*; 2\.0\.0 serves/)
  write('modules/my_kernel.ts', block('ts', 2))
  write('configs/meta-v3.0.0.yml', block('yaml', 3))
  await refused
  expect(await commandLine('kernel')).toMatch(/meta-v3\.0\.0\.yml {2}refused[\s\S]*meta-v2\.0\.0\.yml {2}running/)

  const back = line(/kernel 2\.0\.0 → 1\.0\.0 {2}paused/)
  remove('configs/meta-v2.0.0.yml')
  remove('configs/meta-v3.0.0.yml')
  await back
  expect(await count()).toBeGreaterThan(first)
  expect(await commandLine('show', 'counter')).toMatch(/generation +1/)
}

it('start, ask, edit, drop in, break, fix, change the prompt, plan, roll back, undo, replace the kernel', {
  timeout: 180_000,
}, async () => {
  root = createRoot({})
  await mm(root.path, 'init', root.path, '--force')
  root.write('configs/services/http.yml', root.read('configs/services/http.yml').replace(/^port: .*$/m, 'port: 0'))
  // A model server that happens to run on this machine must not answer here.
  root.remove('configs/inference/local.yml')
  system = await startProcess(root)
  expect(system.output.join('\n')).toMatch(/\b(\d+) of \1 services live/)
  expect(await commandLine('status')).toMatch(/status +ok/)
  expect(await commandLine('ls')).toMatch(/tasks\/rl_trainer +live +g1/)

  const [services, rows, file] = block('', 2).trim().split('\n')
  expect(await commandLine('chat', services ?? '')).toMatch(
    /```tool\n\{call: kernel_list_services[\s\S]*```result[\s\S]*tasks\/rl_trainer[\s\S]*not a language model/,
  )
  expect(await commandLine('chat', rows ?? '')).toMatch(/database_query[\s\S]*rows \d+/)
  expect(await commandLine('chat', file ?? '')).toContain('You are the assistant of meta-machine')

  const switched = system.line(/tasks\/rl_trainer {2}g1 → g2 {2}[\d.]+ ms {2}0 calls failed {2}state lost/)
  root.write(
    'configs/tasks/rl_trainer.yml',
    root.read('configs/tasks/rl_trainer.yml').replace(/step_delay_seconds: .*/, 'step_delay_seconds: 1'),
  )
  await switched
  expect(await commandLine('show', 'tasks/rl_trainer')).toMatch(/generation +2/)

  const source = block('ts', 0)
  const hello = system.line(/hello {2}g1 live/)
  root.write('modules/hello.ts', source)
  root.write('configs/services/hello.yml', block('yaml', 0))
  await hello
  expect((await commandLine(...block('', 4).trim().split(' ').slice(1))).trim()).toBe('Hello, Ada!')
  expect(await commandLine('chat', block('', 5).trim())).toMatch(/call: hello_welcome[\s\S]*Hello, Grace!/)

  const refused = system.line(/hello {2}refused: .* \(modules\/hello\.ts:\d+:\d+\); g1 goes on serving/)
  root.write('modules/hello.ts', source.replace(/\}\n$/, '\n'))
  await refused
  expect((await commandLine('call', 'hello.greet', 'name=Ada')).trim()).toBe('Hello, Ada!')

  const fixed = system.line(/hello {2}g1 → g2/)
  root.write('modules/hello.ts', source.replace('Hello, ', 'Good morning, '))
  await fixed
  expect((await commandLine('call', 'hello.greet', 'name=Ada')).trim()).toBe('Good morning, Ada!')

  root.write('prompts/meta.txt', `${root.read('prompts/meta.txt')}\n${block('', 7)}`)
  expect(await commandLine('chat', 'how is the system doing?')).toContain('\nAhoy!')

  const [planned = '', other = ''] = block('', 8).trim().split('\n')
  expect(await commandLine(...planned.split(' ').slice(1))).toMatch(/^hello {2}reload {2}g2 serves/)
  expect(await commandLine(...other.split(' ').slice(1))).toMatch(/^tasks\/rl_trainer {2}reload {2}g2 serves/)

  expect(await commandLine(...block('', 9).trim().split(' ').slice(1))).toMatch(/^hello {2}g2 → g3/)
  expect((await commandLine('call', 'hello.greet', 'name=Ada')).trim()).toBe('Hello, Ada!')
  expect(root.read('modules/hello.ts')).toContain('Good morning, ')
  expect(await commandLine('plan')).toContain('was taken back')
  await commandLine(...block('', 10).trim().split(' ').slice(1))
  expect(root.read('modules/hello.ts')).toBe(source)
  expect(await commandLine('plan')).toBe('what runs is what stands on disk\n')
  await commandLine('undo', 'tasks/rl_trainer')
  expect(root.read('configs/tasks/rl_trainer.yml')).not.toMatch(/step_delay_seconds: 1$/m)

  await replaceKernel(root, system)

  const { childPid } = system
  expect(await system.stop()).toBe(0)
  expect(() => process.kill(childPid, 0)).toThrow()
})
