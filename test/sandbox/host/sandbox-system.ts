/** A whole system whose sandboxes are real, or scripted where a test decides when a place ends. */
import type { SandboxEngine } from '../../../modules/contracts/sandbox.ts'
import type { SandboxesOptions } from '../../../modules/sandbox/host/sandboxes.ts'
import { realSandboxes, type RealSandboxes } from '../../support/sandboxes.ts'
import { startSystem, type TestSystem } from '../../support/system.ts'
import type { TestRoot } from '../../support/root.ts'

export interface SandboxSystem extends TestSystem {
  readonly sandboxes: RealSandboxes
}

export async function startSandboxed(
  files: Record<string, string> | TestRoot,
  options: Partial<SandboxesOptions> & { engine?: SandboxEngine } = {},
): Promise<SandboxSystem> {
  let sandboxes: RealSandboxes | undefined
  const system = await startSystem(files, {
    sandboxes: ({ fault, ...own }) => (sandboxes = realSandboxes(fault, { ...own, ...options })),
  })
  const made = sandboxes as unknown as RealSandboxes
  // Not copied: some of it is asked for at each look.
  return Object.assign(Object.create(system) as TestSystem, {
    sandboxes: made,
    stop: async () => {
      await made.close()
      await system.stop()
    },
  })
}

/** Counts, and hands its count over; `more` stands in its class. */
export const counter = (mark = 1, more = ''): string => `
export class Module {
  constructor(kernel, config) { this.kernel = kernel; this.config = config; this.count = 0 }
  next() { return ++this.count }
  mark() { return ${mark} }
  ask(api, method, ...args) { return this.kernel.getApi(api)[method](...args) }
  spin() { for (;;); }
  wait() { return new Promise(() => {}) }
  ${more}
}
`
export type Counter = {
  next(): Promise<number>
  mark(): Promise<number>
  ask(api: string, method: string, ...args: unknown[]): Promise<unknown>
  spin(): Promise<never>
  wait(): Promise<never>
}
