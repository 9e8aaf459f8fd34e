/** Metrics of models: answers, tokens and cost, from the event `model.called` that each inference service tells. */
import type { MachineEvent } from '../../contracts/module.ts'
import type { Usage } from '../../contracts/services.ts'
import type { Metrics } from './prometheus.ts'

export interface ModelMetrics {
  take(event: MachineEvent): void
}

export function modelMetrics(metrics: Metrics): ModelMetrics {
  const by = ['provider', 'model']
  const answers = metrics.count('mm_model_answers_total', 'Whole answers of models.', by)
  const tokens = metrics.count('mm_model_tokens_total', 'Tokens, by what they were.', [...by, 'kind'])
  const cost = metrics.count('mm_model_cost_dollars_total', 'Cost of answers, by the prices of the configs.', by)
  // Two versions of this service hear the same event while one takes over from the other.
  let lastId = 0
  return {
    take({ id, data }) {
      if (id <= lastId) return
      lastId = id
      const { source, model, usage } = data as { source?: unknown; model?: unknown; usage?: Usage | null }
      const labels = { provider: String(source), model: String(model) }
      answers.add(labels)
      if (usage === undefined || usage === null) return
      tokens.add({ ...labels, kind: 'input' }, usage.input_tokens - usage.cached_tokens)
      tokens.add({ ...labels, kind: 'cached_input' }, usage.cached_tokens)
      tokens.add({ ...labels, kind: 'output' }, usage.output_tokens)
      if (usage.cost_usd !== null) cost.add(labels, usage.cost_usd)
    },
  }
}
