/**
 * The end of a scripted provider. Its own `stop()` waits until every connection is closed by the other side, which for a
 * request that was given up takes seconds: here they are broken off, as a provider that goes down does. Used by the tests
 * of inference and agents.
 */
import type { Server } from 'node:http'
import type { LLMock } from '@copilotkit/aimock'

export async function stopAtOnce(provider: LLMock): Promise<void> {
  const { serverInstance } = provider as unknown as { serverInstance: { server: Server } }
  const stopped = provider.stop()
  serverInstance.server.closeAllConnections()
  await stopped
}
