/**
 * The kernel as a model sees it: what runs, what is wrong and why, what a change would touch, and the ways back. Each
 * tool is a few lines over the service `kernel`, which decides who may do what.
 */
import { z } from 'zod'
import type { EffectiveConfig, PlannedChange, ReloadResult, ServiceStatus } from '../contracts/kernel.ts'
import type { MachineEvent } from '../contracts/module.ts'
import type { Tool, ToolContext } from '../contracts/tool.ts'
import { tool } from '../lib/tool.ts'

/** What of the service the tools use. */
export interface KernelTooling {
  summary(): object
  services(): ServiceStatus[]
  brief(api: string): object
  planned(): Promise<PlannedChange[]>
  configOf(api: string): EffectiveConfig[]
  lastEvents(pattern: string, count: number): MachineEvent[]
  /** Refused to an unknown caller; a reload also while the system is frozen. */
  change(kind: 'reload' | 'rollback' | 'undo', api: string, caller: string | undefined): Promise<ReloadResult>
}

const EVENTS_MAX = 200
const named = z.object({ service: z.string().describe('the name of a service, as kernel_list_services shows it') })

export function kernelTools(kernel: KernelTooling): Record<string, Tool> {
  return { ...lookingTools(kernel), ...changingTools(kernel) }
}

function lookingTools(kernel: KernelTooling): Record<string, Tool> {
  return {
    status: tool({
      description: 'Status of the whole system: kernel version, uptime, how many services are live, and what is wrong.',
      params: z.object({}),
      read_only: true,
      run: () => kernel.summary(),
    }),
    list_services: tool({
      description: 'List all services that are running, with their state, generation, calls and errors.',
      params: z.object({}),
      read_only: true,
      run: () => ({ services: kernel.services().map(short) }),
    }),
    show_service: tool({
      description:
        'Show one service in detail: state, generation, config file, source file, methods, tools, last error.',
      params: named,
      read_only: true,
      run: ({ service }) => kernel.brief(service),
    }),
    show_config: tool({
      description:
        'Show what one service is configured with, and where each value comes from. Secrets are not filled in.',
      params: named,
      read_only: true,
      run: ({ service }) => ({ configs: kernel.configOf(service) }),
    }),
    pending_changes: tool({
      description: 'List what stands on disk and does not run, with the reason. Empty: everything on disk runs.',
      params: z.object({}),
      read_only: true,
      run: async () => ({ changes: await kernel.planned() }),
    }),
    recent_events: tool({
      description: 'The last events of the system, newest last: service.live, service.refused, tool.called and others.',
      params: z.object({
        pattern: z.string().default('*').describe('`service.live`, `service.*` or `*`'),
        count: z.int().positive().max(EVENTS_MAX).default(20),
      }),
      read_only: true,
      run: ({ pattern, count }) => ({ events: kernel.lastEvents(pattern, count) }),
    }),
  }
}

function changingTools(kernel: KernelTooling): Record<string, Tool> {
  const changing = (kind: 'reload' | 'rollback' | 'undo', description: string): Tool<typeof named> =>
    tool({
      description,
      params: named,
      run: ({ service }, context: ToolContext) => kernel.change(kind, service, context?.caller),
    })
  return {
    reload_service: changing(
      'reload',
      'Reload one service now: build a new generation from disk and switch to it without losing a call.',
    ),
    rollback_service: changing(
      'rollback',
      'Go back to the version of a service that ran before. Files stay as they are; the version left is not loaded again.',
    ),
    undo_change: changing(
      'undo',
      'Undo the last change of a service: write the bytes before it back to disk and run them. Refused if a file moved on.',
    ),
  }
}

const short = (one: ServiceStatus): object => ({
  service: one.api,
  state: one.state,
  generation: one.generation,
  calls: one.calls,
  errors: one.errors,
  ...(one.last_error === null ? {} : { last_error: one.last_error.message }),
})
