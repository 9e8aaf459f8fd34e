/** With the organs of the product around it, every collector has what it asks for, and a chat is seen in all of its parts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ControlMetricsApi } from '../../../modules/contracts/meta-metrics.ts'
import type { ChatAnswer, VectorStoreApi } from '../../../modules/contracts/services.ts'
import { packageRoot } from '../../support/root.ts'
import { GATE_FILES, startGate } from '../gate-system.ts'

const SHIPPED = [
  'control/metrics',
  'control/rollouts',
  'services/chromadb',
  'services/database',
  'services/memory',
  'services/traces',
  'inference/offline',
  'agents/assistant',
]

const files = Object.fromEntries(
  [...SHIPPED.map((name) => `configs/${name}.yml`), 'prompts/meta.txt'].map((file) => [
    file,
    readFileSync(join(packageRoot, file), 'utf8'),
  ]),
)

it('in a whole system nothing is missing, and a chat is counted from the answer of the model to the tool', async () => {
  const gate = await startGate({ ...GATE_FILES, ...files, 'notes.txt': 'buy milk' })
  const metrics = gate.getApi<ControlMetricsApi>('control/metrics')
  const store = gate.getApi<VectorStoreApi>('chromadb')
  await store.get_or_create_collection('notes')
  await store.add('notes', { ids: ['a', 'b'], documents: ['buy milk and bread', 'the weather is fine'] })
  const answer = await gate.json<ChatAnswer>('/api/chat', { message: 'Which services are running?' })
  expect([answer.status, answer.steps.length]).toEqual(['done', 1])
  const { values, errors, domains } = await metrics.take()
  expect(errors).toEqual({})
  const value = (path: string): number | null => values[path]?.value ?? null
  expect(value('coordination.sample_count')).toBeGreaterThanOrEqual(1)
  expect(value('coordination.coordination_efficiency')).toBeGreaterThan(0)
  expect(value('coordination.message_density')).toBeGreaterThan(1)
  expect(value('operation.task_count')).toBe(1)
  expect(value('operation.tool_call_count')).toBe(answer.steps.length)
  expect(value('stability.model_reachable')).toBe(1)
  expect(value('performance.avg_quality_score')).toBe(10)
  expect(value('performance.avg_success_rate')).toBe(1)
  expect(value('memory.vector_records')).toBe(2)
  expect(value('memory.index_recall')).toBe(1)
  expect(value('memory.store_bytes')).toBeGreaterThan(1_000)
  expect(value('memory.coherence')).toBe(1)
  expect(value('stability.compliance')).toBe(100)
  expect(value('stability.kernel_health')).toBe(1)
  expect(value('evolution.total_proposals')).toBe(0)
  const assistant = domains.flatMap(({ services }) => services).find(({ api }) => api === 'assistant')
  expect(assistant?.calls_to).toEqual(expect.arrayContaining(['offline', 'tools']))
  await gate.stop()
})
