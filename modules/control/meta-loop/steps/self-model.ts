/** Step 2: what the agent is known to be able to do, as far as there is data. Staged; written by `persist`. */
import { perceived, type StepWork } from '../staged.ts'

export const selfModel: StepWork = async ({ kernel }, staged) => {
  const { operation } = perceived(staged)
  return {
    outcome: 'done',
    staged: {
      self_model: {
        calibration: { confidence_accuracy: operation.confidence_accuracy, last_updated: kernel.clock.now() },
        capabilities: {
          tool_success_rate: operation.tool_call_success_rate,
          avg_tokens_per_task: operation.tokens_per_task,
          task_throughput: operation.task_count,
        },
      },
    },
  }
}
