import { execFileSync } from 'node:child_process'
import type { Command } from '../../../tools/bound-process.ts'

/**
 * A network namespace a node, joined by a bridge that this process reaches too: what one node sends to another can be dropped, in
 * silence, in one direction or both. Needs root. Names and addresses follow from the process id, so that test workers do not meet.
 */
export class Namespaces {
  readonly #tag = `ot${process.pid}`
  readonly #subnet = `10.71.${process.pid % 250}`
  readonly #ids: readonly number[]

  constructor(ids: readonly number[]) {
    this.#ids = ids
    const removeWithParent = (): void => this.remove()
    process.once('exit', removeWithParent)
    ip('link', 'add', this.#bridge, 'type', 'bridge')
    ip('addr', 'add', `${this.#subnet}.254/24`, 'dev', this.#bridge)
    ip('link', 'set', this.#bridge, 'up')
    for (const id of ids) this.#join(id)
  }

  hostOf(id: number): string {
    return `${this.#subnet}.${id}`
  }

  /** `command`, run in the node's namespace. The process keeps its id: `ip netns exec` becomes the program. */
  inside(id: number, command: Command): Command {
    const { program, args, env } = command
    return {
      program: 'ip',
      args: ['netns', 'exec', this.#namespace(id), program, ...args],
      ...(env === undefined ? {} : { env }),
    }
  }

  /** Drops what `from` sends to `to`. */
  cutOneWay(from: number, to: number): void {
    ip('netns', 'exec', this.#namespace(to), 'iptables', '-I', 'INPUT', '-s', this.hostOf(from), '-j', 'DROP')
  }

  /** Drops what either of each pair sends to the other. */
  cut(some: readonly number[], others: readonly number[]): void {
    for (const one of some) {
      for (const other of others) {
        this.cutOneWay(one, other)
        this.cutOneWay(other, one)
      }
    }
  }

  /** Nothing is dropped any more. */
  heal(): void {
    for (const id of this.#ids) ip('netns', 'exec', this.#namespace(id), 'iptables', '-F', 'INPUT')
  }

  remove(): void {
    for (const id of this.#ids) attempt('netns', 'del', this.#namespace(id))
    attempt('link', 'del', this.#bridge)
  }

  get #bridge(): string {
    return `${this.#tag}br`
  }

  #namespace(id: number): string {
    return `${this.#tag}n${id}`
  }

  #join(id: number): void {
    const [inner, outer, namespace] = ['eth0', `${this.#tag}v${id}`, this.#namespace(id)]
    ip('netns', 'add', namespace)
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', namespace)
    ip('link', 'set', outer, 'master', this.#bridge, 'up')
    ip('-n', namespace, 'addr', 'add', `${this.hostOf(id)}/24`, 'dev', inner)
    ip('-n', namespace, 'link', 'set', inner, 'up')
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function attempt(...args: readonly string[]): void {
  try {
    ip(...args)
  } catch {
    // It was not there.
  }
}
