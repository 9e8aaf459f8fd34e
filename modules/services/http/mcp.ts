/**
 * The way to the service `mcp`, and the stream on which an MCP client hears from the server. It stays open for as long as the client does, so it belongs
 * to the service and not to the version of `http` that opened it: the request counts as answered once it flows.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { KernelApi } from '../../contracts/module.ts'
import type { McpApi } from '../../contracts/services.ts'
import { codeOf, coded } from '../../lib/errors.ts'

/** `operator`: the request carries the system's own token. */
export async function askMcp(kernel: KernelApi, request: Request, operator: boolean): Promise<Response> {
  try {
    return await kernel.getApi<McpApi>('mcp').handle(request, operator)
  } catch (thrown) {
    // Where nobody knows other tokens there are none.
    throw !operator && codeOf(thrown) === 'service_not_found' ? coded('unauthorized') : thrown
  }
}

/** Rejects before anything is written. */
export async function openMcpStream(
  kernel: KernelApi,
  request: IncomingMessage,
  response: ServerResponse,
  operator: boolean,
): Promise<void> {
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string])
  const asked = new Request('http://localhost/mcp', { headers: new Headers(headers) })
  const answer = await askMcp(kernel, asked, operator)
  response.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  if (answer.body === null) {
    response.end()
    return
  }
  response.flushHeaders()
  // It ends when either side goes; the other is told by the pipeline.
  pipeline(Readable.fromWeb(answer.body), response).catch(() => undefined)
}
