"""The addresses under which clients reach an instance, and the text of a durable client. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

WEBHOOK_PATH = "/runtime/webhooks/durabletask"
_CONNECTION = "Storage"  # what Azure shows for the default storage account
_ANY_INSTANCE = "INSTANCEID"  # the SDK puts the instance's id in its place


@dataclass(frozen=True)
class Links:
    """Makes addresses for one hub. `key` is the system key that opens them."""

    hub_name: str
    key: str

    def management(self, origin: str, instance_id: str) -> dict[str, str]:
        """Return the management addresses of an instance, under `http://host:port`."""
        query = urlencode({"taskHub": self.hub_name, "connection": _CONNECTION, "code": self.key})
        instance = f"{origin}{WEBHOOK_PATH}/instances/{quote(instance_id, safe='')}"
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{instance}?{query}",
            "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
            "rewindPostUri": f"{instance}/rewind?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{instance}?{query}",
            "restartPostUri": f"{instance}/restart?{query}",
            "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
            "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
        }

    def client(self, origin: str, rpc_base_url: str) -> str:
        """Return what a durable client binding gets. `rpc_base_url` must end with a slash."""
        base = f"{origin}{WEBHOOK_PATH}"
        query = urlencode({"code": self.key})
        create = f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
        wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
        return json.dumps(
            {
                "taskHubName": self.hub_name,
                "baseUrl": base,
                "requiredQueryStringParameters": query,
                "rpcBaseUrl": rpc_base_url,
                "creationUrls": {
                    "createNewInstancePostUri": f"{create}?{query}",
                    "createAndWaitOnNewInstancePostUri": f"{create}?{wait}&{query}",
                },
                "managementUrls": self.management(origin, _ANY_INSTANCE),
            }
        )
