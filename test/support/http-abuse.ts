/** What somebody who means harm sends: bare sockets, endless bodies, requests that no client would write. */
import { connect, type Socket } from 'node:net'

export interface Talk {
  /** everything that came until the connection ended */
  text: string
  /** how much was taken of what was sent */
  sent: number
}

/** Sends `pieces` as fast as they are taken, until there are none or the other side ends; then reads to the end. */
export function talk(port: number, pieces: Iterable<string | Buffer>): Promise<Talk> {
  return new Promise((resolve) => {
    const source = pieces[Symbol.iterator]()
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const other = { ended: false }
    const write = (): void => {
      while (!other.ended) {
        const { value, done } = source.next()
        if (done === true) return
        if (!socket.write(value)) {
          socket.once('drain', write)
          return
        }
      }
    }
    socket.on('connect', write)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    // Who is refused in the midst of a body may see a reset behind the answer.
    socket.on('error', () => undefined)
    socket.on('end', () => (other.ended = true))
    socket.on('close', () => {
      other.ended = true
      resolve({ text, sent: socket.bytesWritten - socket.writableLength })
    })
  })
}

export const statusesIn = ({ text }: Talk): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

/** A sender that stops in the midst and never goes on. */
export function slowSender(port: number, first: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => {
    if (first !== '') socket.write(first)
  })
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.on('error', () => undefined)
  return { socket, closed: new Promise((resolve) => socket.on('close', () => resolve(text))) }
}
