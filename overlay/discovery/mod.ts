/**
 * Finding a circuit by UDP multicast: servers announce themselves and answer queries, clients ask.
 *
 * @module
 */

export { Announcer, type AnnouncerOptions } from "./announce.ts";
export { type Clock, systemClock } from "./clock.ts";
export { MAX_DATAGRAM_BYTES } from "./datagram.ts";
export { MAX_SKEW_MS, type Refusal } from "./inbox.ts";
export type {
  Datagram,
  DatagramNetwork,
  DatagramSocket,
  GroupSocket,
  NetworkInterface,
  UdpAddress,
} from "./network.ts";
export { formatGroup, type Group, parseGroup } from "./parse_group.ts";
export { type DiscoverOptions, discoverServers } from "./query.ts";
export { type DiscoveryKey, Seal } from "./seal.ts";
export type { FoundServer, Log } from "./types.ts";
export { udpNetwork } from "./udp.ts";
