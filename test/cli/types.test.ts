/** `mm types`: an editor knows what getApi gives in a root, and what a config may say. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { mmHere } from '../support/cli.ts'
import { startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot | undefined
let system: RunningSystem | undefined
afterEach(async () => {
  await system?.stop()
  root?.dispose()
})

it('getApi is typed by the modules that are live, and each config has a schema', { timeout: 120_000 }, async () => {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/shop.yml': 'open: true\n',
    'modules/shop.ts': `import { z } from 'zod'
export const configSchema = z.object({ open: z.boolean(), size: z.number().default(3) })
export class Module {
  price(article: string): number { return article.length }
}
`,
  })
  system = await startProcess(root)
  const { code, stdout, stderr } = await mmHere(root.path, 'types')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('2 services typed; 2 schemas')
  expect(JSON.parse(root.read('runtime/types/schemas/shop.schema.json'))).toMatchObject({
    type: 'object',
    properties: { open: { type: 'boolean' }, size: { type: 'number', default: 3 }, needs: {} },
  })
  expect(JSON.parse(root.read('runtime/types/yaml-schemas.json'))).toMatchObject({
    './runtime/types/schemas/shop.schema.json': 'configs/shop.yml',
  })
  root.write(
    'modules/use.ts',
    `import type { KernelApi } from 'meta-machine'
export async function use(kernel: KernelApi): Promise<void> {
  const good: number = await kernel.getApi('shop').price('tea')
  // @ts-expect-error -- a price is no text
  const bad: string = await kernel.getApi('shop').price('tea')
  // @ts-expect-error -- an article is text
  await kernel.getApi('shop').price(7)
  await kernel.getApi('another')['anything']?.(good, bad)
}
`,
  )
  const own = (name: string): string[] => [join(packageRoot, name)]
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: own('node_modules/@types'),
    paths: { 'meta-machine': own('modules/lib/index.ts'), zod: own('node_modules/zod') },
  }
  root.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['modules', 'runtime/types'] }))
  const tsc = spawnSync(join(packageRoot, 'node_modules/.bin/tsc'), ['-p', root.path], { encoding: 'utf8' })
  expect(tsc.stdout).toBe('')
  expect(tsc.status).toBe(0)
})
