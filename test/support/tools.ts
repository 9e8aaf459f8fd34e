/** Systems with a service of tools, for the tests of calls. */
import type { Handle } from '../../modules/contracts/module.ts'
import type { ToolsApi } from '../../modules/contracts/services.ts'
import type { ToolResult } from '../../modules/contracts/tool.ts'
import { startSystem, type TestSystem } from './system.ts'

/** A module whose `tool` aspect is the given record; `members` are more of its class. */
export const withTools = (record: string, members = ''): string => `import { tool, CodedError } from 'meta-machine'
import { z } from 'zod'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  ${members}
  getAspect(name) { return name === 'tool' ? ${record} : undefined }
}
`

export interface ToolSystem extends TestSystem {
  readonly tools: Handle<ToolsApi>
}

/** The service `tools` with this config, and one service `demo` with these tools. */
export async function startTools(record: string, config = '', files: Record<string, string> = {}): Promise<ToolSystem> {
  const system = await startSystem({
    'configs/tools.yml': `prog: services/tools\n${config}`,
    'configs/demo.yml': 'limits: {drain_ms: 10}\n',
    'modules/demo.ts': withTools(record),
    ...files,
  })
  return Object.assign(system, { tools: system.getApi<ToolsApi>('tools') })
}

export function errorOf(result: ToolResult): { code: string; message: string; hint: string } {
  if (result.status !== 'error') throw new Error(`it did not fail: ${JSON.stringify(result)}`)
  return result.error
}

export function valueOf(result: ToolResult): unknown {
  if (result.status !== 'success') throw new Error(`it failed: ${JSON.stringify(result.error)}`)
  return result.value
}
