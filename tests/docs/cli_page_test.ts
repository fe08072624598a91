import { assertEquals } from "@std/assert";
import { CLI_PAGE, cliPage } from "../../scripts/cli_page.ts";

Deno.test("docs/cli.md says what the help says (deno task cli-page writes it anew)", async () => {
  assertEquals(await Deno.readTextFile(CLI_PAGE), cliPage());
});
