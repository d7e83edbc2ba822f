"""What a key that is limited to some numbers may ask of Graph, and see of its answers: one rule, for every call.

Process: worker.

Such a key acts on its own numbers, and reads of their accounts what belongs to all numbers of an account: name,
templates, flows. It names fields one by one; nothing is expanded, because an expansion leads to other objects. Numbers
and accounts that are not its own are taken out of every answer.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from services.cloud_api.calls import parameter_name
from services.keys import Caller, NotPermitted
from services.numbers import Number

NUMBER_EDGES: Final = frozenset(
    """
    whatsapp_business_profile block_users settings message_qrdls whatsapp_commerce_settings conversational_automation
    whatsapp_business_encryption register deregister request_code verify_code calls call_permissions groups
    official_business_account business_compliance_info messages marketing_messages message_history
    """.split()
)
ACCOUNT_EDGES: Final = frozenset(
    {("GET", "phone_numbers"), ("GET", "message_templates"), ("POST", "message_templates")}
    | {("DELETE", "message_templates"), ("POST", "upsert_message_templates"), ("GET", "flows")}
)
FIELDS: Final = frozenset(
    """
    id name status
    verified_name display_phone_number conversational_automation quality_rating quality_score webhook_configuration
    name_status new_name_status code_verification_status account_mode is_on_biz_app is_official_business_account
    is_pin_enabled is_preverified_number search_visibility platform_type throughput
    eligibility_for_api_business_global_search health_status certificate new_certificate last_onboarded_time
    country_code country_dial_code whatsapp_business_manager_messaging_limit messaging_limit_tier
    host_platform username
    timezone_id message_template_namespace business_verification_status is_enabled_for_insights
    marketing_messages_lite_api_status marketing_messages_onboarding_status ownership_type currency country
    account_review_status disable_marketing_messages_on_cloud_api
    about address description email profile_picture_url websites vertical messaging_product
    catalog_id is_catalog_visible is_cart_enabled
    language category components parameter_format message_send_ttl_seconds correct_category previous_category
    rejected_reason library_template_name cta_url_link_tracking_opted_out sub_category degrees_of_freedom_spec
    categories validation_errors json_version data_api_version endpoint_uri updated_at
    code prefilled_message deep_link_url qr_image_url
    calling user_identity_change storage_configuration payload_encryption data_localization_region
    business_public_key business_public_key_signature_status enable_welcome_message prompts commands
    """.split()
)
"""Fields that hold facts of the object itself. Source: Meta's OpenAPI of v23.0, and what published clients ask for."""
OTHER_OBJECTS: Final = frozenset(
    """
    phone_number_id phone_numbers phone_number_ids phone_id waba_id source_waba_id whatsapp_business_account_id
    clone_flow_id business_id destination_waba_id
    """.split()
)
_FORMAT: Final = re.compile(r"\.format\([A-Za-z]{3}\)\Z")
"""Clients ask for ``qr_image_url.format(PNG)``."""
_NUMBER_SIGNS: Final = frozenset({"display_phone_number", "verified_name", "code_verification_status"})
_ID_NAMES: Final = frozenset({"id", "phone_number_id", "waba_id", "whatsapp_business_account_id"})


class NumberLimit:
    """The limit of one caller. ``numbers`` are all numbers of the installation. A caller without a limit has none."""

    def __init__(self, caller: Caller, numbers: Sequence[Number]) -> None:
        self.is_limited = bool(caller.numbers)
        own = [number for number in numbers if caller.may_use(number.phone_number_id)]
        self._own_numbers = frozenset(number.phone_number_id for number in own)
        self._own_accounts = frozenset(number.waba_id for number in own)
        self._own = self._own_numbers | self._own_accounts
        known = frozenset(number.phone_number_id for number in numbers) | {number.waba_id for number in numbers}
        self._foreign = known - self._own

    def require(self, kind: str, method: str, edge: str, parameters: Iterable[tuple[str, Any]]) -> None:
        """Raise ``NotPermitted`` for a call that leads beyond the caller's numbers."""
        if not self.is_limited:
            return
        if not _is_own_edge(kind, method, edge):
            raise NotPermitted("This API key is limited to some numbers: it may not use this edge.")
        for name, value in parameters:
            bare = parameter_name(name)
            if bare == "fields":
                _require_plain_fields(value)
            elif bare in OTHER_OBJECTS and str(value) not in self._own:
                raise NotPermitted(f"This API key is limited to some numbers: {bare} must be one of its own.")

    def within(self, value: Any, node: str, edge: str = "") -> Any:
        """An answer about ``node`` without other numbers and accounts; None when it is itself about another one."""
        if not self.is_limited:
            return value
        if edge == "phone_numbers" and isinstance(value, dict) and "error" not in value:
            listed = value.get("data")
            data = [one for one in listed if self._is_own_number(one)] if isinstance(listed, list) else []
            return self._object({name: item for name, item in value.items() if name != "summary"} | {"data": data})
        if isinstance(value, dict) and str(value.get("id", node)) == node and node in self._own:
            return self._object(value)  # the object that was asked for: it need not say its id
        return self._kept(value)

    def _kept(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._kept(item) for item in value if not self._is_foreign(item)]
        if isinstance(value, dict):
            return None if self._is_foreign(value) else self._object(value)
        return value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self._kept(item)
            for name, item in value.items()
            if name not in self._foreign and not self._is_foreign(item)
        }

    def _is_own_number(self, value: Any) -> bool:
        return isinstance(value, dict) and str(value.get("id")) in self._own_numbers

    def _is_foreign(self, value: Any) -> bool:
        if isinstance(value, str | int):
            return str(value) in self._foreign
        if not isinstance(value, dict):
            return False
        if any(str(value[name]) in self._foreign for name in _ID_NAMES & value.keys()):
            return True
        if value.get("entity_type") == "PHONE_NUMBER" or _NUMBER_SIGNS & value.keys():
            return str(value.get("id")) not in self._own_numbers
        return value.get("entity_type") == "WABA" and str(value.get("id")) not in self._own_accounts


def _is_own_edge(kind: str, method: str, edge: str) -> bool:
    first, _, rest = edge.partition("/")
    if kind == "template":
        return not edge
    if kind == "upload":
        return True  # a session of the app: it has no number
    if kind == "number":
        return not edge or first in NUMBER_EDGES
    if kind == "account":
        return (method, edge) == ("GET", "") or ((method, first) in ACCOUNT_EDGES and not rest)
    return False


def _require_plain_fields(value: Any) -> None:
    for name in str(value).split(","):
        if name.strip() and _FORMAT.sub("", name.strip()) not in FIELDS:
            raise NotPermitted(
                "This API key is limited to some numbers: it may name plain fields, and nothing that leads to other "
                f"objects. Not permitted: {name.strip()[:80]}"
            )
