import { afterEach, expect, it } from 'vitest'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => system?.stop())

it('a prompt is read anew when it changed, without a new version; outside the root it is refused', async () => {
  system = await startSystem({
    'prompts/p.txt': 'one',
    'configs/m.yml': '',
    'modules/m.ts': `export class Module { constructor(private k: any) {} read(path: string) { return this.k.prompt(path) } }`,
  })
  const read = (path: string): Promise<{ text: string; hash: string }> =>
    (system as TestSystem).getApi('m')['read']?.(path) as never
  const first = await read('prompts/p.txt')
  expect(first.text).toBe('one')
  const changed = system.event('prompt.changed')
  system.root.write('prompts/p.txt', 'two')
  expect((await changed).data).toEqual({ path: 'prompts/p.txt' })
  const second = await read('prompts/p.txt')
  expect(second.text).toBe('two')
  expect(second.hash).not.toBe(first.hash)
  expect((await system.show('m')).generation).toBe(1)
  expect(await rejection(read('../etc/passwd'))).toMatchObject({ code: 'path_outside' })
  expect(await rejection(read('prompts/none.txt'))).toMatchObject({ code: 'prompt_missing' })
})
