/** The pack of worked-out files under runtime/cache, over whole starts: it makes them faster and changes nothing else. */
import { afterEach, expect, it } from 'vitest'
import { realClock } from '../modules/lib/clock.ts'
import { realFileSystem } from '../modules/lib/file-system.ts'
import { Pack } from '../modules/loader/pack.ts'
import { startProcess } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

const FILE = 'runtime/cache/work.pack'
const MODULE = (answer: string): string => `export class Module { answer(): string { return '${answer}' } }`
let root: TestRoot
afterEach(() => root.dispose())

const entries = (): number => new Pack({ fs: realFileSystem, clock: realClock, path: `${root.path}/${FILE}` }).size

async function startAndAsk(): Promise<{ answer: string; output: string }> {
  const system = await startProcess(root)
  try {
    return { answer: await system.call<string>('m', 'answer'), output: system.output.join('\n') }
  } finally {
    await system.stop()
  }
}

it('is left by an orderly stop, and no later start sees old code or minds a broken pack', async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/m.yml': '',
    'modules/m.ts': MODULE('first'),
  })
  expect((await startAndAsk()).answer).toBe('first')
  expect(entries()).toBeGreaterThan(10)
  root.write('modules/m.ts', MODULE('second'))
  expect((await startAndAsk()).answer).toBe('second')
  root.write(FILE, root.read(FILE).replace('second', 'forged'))
  const { answer, output } = await startAndAsk()
  expect(answer).toBe('second')
  expect(output).not.toMatch(/warn|error/i)
  expect(entries()).toBeGreaterThan(10)
})

it('that cannot be written is a warning, not a failure', async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/m.yml': '',
    'modules/m.ts': MODULE('first'),
    'runtime/cache': 'in the way',
  })
  const { answer } = await startAndAsk()
  expect(answer).toBe('first')
  expect(root.read('runtime/logs/mm.log')).toContain('the next start will be slower')
})
