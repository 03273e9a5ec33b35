import pytest

from local.apple import ApiRole

APPLE = "https://api.appstoreconnect.apple.com"
REQUESTS = f"{APPLE}/v1/analyticsReportRequests"


def test_a_report_request_has_an_access_type_and_nothing_that_says_ready(client):
    answer = client.create()
    assert answer.status_code == 201
    attributes = answer.json()["data"]["attributes"]
    assert attributes == {"accessType": "ONGOING", "stoppedDueToInactivity": False}


def test_a_second_report_request_is_a_conflict_that_hides_the_id(client):
    request_id = client.created()
    answer = client.create()
    (error,) = answer.json()["errors"]
    assert answer.status_code == 409
    assert (error["status"], error["code"]) == ("409", "STATE_ERROR")
    assert error["detail"] == "You already have such an entity"
    assert request_id not in answer.text


def test_one_request_per_app_and_access_type(client):
    client.created("ONGOING")
    client.created("ONE_TIME_SNAPSHOT")
    client.created("ONGOING", "1000000002")
    listed = client.data("/v1/apps/1000000001/analyticsReportRequests")
    assert {each["attributes"]["accessType"] for each in listed} == {"ONGOING", "ONE_TIME_SNAPSHOT"}
    only = client.data("/v1/apps/1000000001/analyticsReportRequests", filter__accessType="ONGOING")
    assert [each["attributes"]["accessType"] for each in only] == ["ONGOING"]


def test_there_is_no_list_of_all_report_requests(client):
    assert client.get("/v1/analyticsReportRequests").status_code == 404


def test_a_deleted_request_is_gone_and_can_be_created_anew_with_other_report_ids(client):
    first = client.created()
    report = client.report_id(first, "App Crashes")
    client.world.advance(1)
    (instance_id,) = client.instances(first, "App Crashes").values()
    assert client.session.delete(f"{REQUESTS}/{first}").status_code == 204
    assert client.get(f"/v1/analyticsReportRequests/{first}").status_code == 404
    assert client.get(f"/v1/analyticsReports/{report}/instances").status_code == 404
    assert client.get(f"/v1/analyticsReportInstances/{instance_id}/segments").status_code == 404
    second = client.created()
    assert client.report_id(second, "App Crashes") != report


def test_a_snapshot_is_refused_for_31_days_even_after_it_was_deleted(client):
    snapshot = client.created("ONE_TIME_SNAPSHOT")
    client.session.delete(f"{REQUESTS}/{snapshot}")
    client.world.advance(30)
    assert client.create("ONE_TIME_SNAPSHOT").status_code == 409
    assert client.data("/v1/apps/1000000001/analyticsReportRequests") == []
    client.world.advance(1)
    assert client.create("ONE_TIME_SNAPSHOT").status_code == 201


def test_a_stopped_request_says_so_blocks_a_new_one_and_brings_nothing_new(client):
    request_id = client.created()
    client.world.advance(2)
    client.world.stop_request("1000000001")
    client.world.advance(3)
    (listed,) = client.data("/v1/apps/1000000001/analyticsReportRequests")
    assert listed["attributes"]["stoppedDueToInactivity"] is True
    assert set(client.instances(request_id, "App Crashes")) == {"2026-06-02", "2026-06-03"}
    assert client.create().status_code == 409
    client.session.delete(f"{REQUESTS}/{request_id}")
    assert client.create().status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "ENTITY_INVALID"),
        (b"[]", 400, "ENTITY_INVALID"),
        (b'{"data": {"type": "apps"}}', 422, "ENTITY_UNPROCESSABLE"),
        (b'{"data": {"type": "analyticsReportRequests"}}', 422, "ENTITY_UNPROCESSABLE"),
    ],
)
def test_a_bad_body_is_refused(client, body, status, code):
    answer = client.session.post(REQUESTS, data=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


def test_a_request_for_an_unknown_app_is_refused(client):
    assert client.create(app_id="7").json()["errors"][0]["code"] == "ENTITY_ERROR.RELATIONSHIP.INVALID"
    assert client.get("/v1/apps/7/analyticsReportRequests").status_code == 404


def test_included_reports_stop_at_fifty(client):
    request_id = client.created()
    body = client.get(f"/v1/analyticsReportRequests/{request_id}", include="reports").json()
    assert len(body["included"]) == 50
    assert body["data"]["relationships"]["reports"]["meta"]["paging"]["total"] == 149
    fewer = client.get("/v1/apps/1000000001/analyticsReportRequests", include="reports", limit__reports=2).json()
    assert len(fewer["included"]) == 2
    assert client.get(f"/v1/analyticsReportRequests/{request_id}", include="apps").status_code == 400
    assert (
        client.get(f"/v1/analyticsReportRequests/{request_id}", limit__reports=51, include="reports").status_code == 400
    )


def test_apps_are_found_by_id_and_bundle_id_sorted_and_paged(start):
    client = start(apps=5)
    assert [each["id"] for each in client.data("/v1/apps", filter__id="1000000002,1000000004")] == [
        "1000000002",
        "1000000004",
    ]
    (app,) = client.data("/v1/apps", filter__bundleId="com.example.harbor-notes")
    assert app["attributes"]["name"] == "Harbor Notes"
    names = [each["attributes"]["name"] for each in client.data("/v1/apps", sort="-name")]
    assert names == sorted(names, reverse=True)
    assert client.get("/v1/apps", sort="age").status_code == 400


def test_pages_are_followed_by_their_next_link_to_the_last_which_has_none(start):
    client = start(apps=5)
    body = client.get("/v1/apps", limit=2).json()
    seen = [each["id"] for each in body["data"]]
    assert body["meta"]["paging"]["total"] == 5
    while "next" in body["links"]:
        body = client.get(body["links"]["next"]).json()
        seen += [each["id"] for each in body["data"]]
    assert seen == [f"100000000{number}" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"filter[sku]": "SKU-1000000002"}, [2]),
        ({"filter[name]": "Harbor Notes,Quiet Notes"}, [1, 3]),
        ({"filter[name]": "Nothing"}, []),
        ({"filter[appStoreVersions.appVersionState]": "READY_FOR_DISTRIBUTION"}, [1, 2, 3]),
        ({"filter[reviewSubmissions.state]": "IN_REVIEW"}, []),
        ({"exists[gameCenterEnabledVersions]": "true"}, []),
        ({"sort": "-sku,name"}, [3, 2, 1]),
    ],
)
def test_apps_are_filtered_and_sorted_as_apple_documents_it(client, query, numbers):
    answer = client.session.get(f"{APPLE}/v1/apps", params=query)
    assert [each["id"] for each in answer.json()["data"]] == [f"100000000{number}" for number in numbers]


def test_an_app_comes_with_its_versions_where_they_are_included(client):
    body = client.get("/v1/apps/1000000001", include="appStoreVersions", limit__appStoreVersions=2).json()
    linkage = body["data"]["relationships"]["appStoreVersions"]["data"]
    assert [each["id"] for each in linkage] == [each["id"] for each in body["included"]]
    assert len(linkage) == 2
    assert client.get("/v1/apps/7").status_code == 404


def test_one_version_is_on_sale_and_versions_are_found_by_number_and_state(client):
    path = "/v1/apps/1000000001/appStoreVersions"
    (on_sale,) = client.data(path, filter__appVersionState="READY_FOR_DISTRIBUTION")
    assert (on_sale["attributes"]["versionString"], on_sale["attributes"]["appStoreState"]) == (
        "4.2.0",
        "READY_FOR_SALE",
    )
    (older,) = client.data(path, filter__versionString="4.0")
    assert older["attributes"]["createdDate"] < on_sale["attributes"]["createdDate"]
    assert client.get(path, filter__platform="ANDROID").status_code == 400


def test_a_version_that_is_released_replaces_the_one_on_sale_and_was_prepared_before(client):
    path = "/v1/apps/1000000001/appStoreVersions"
    client.world.advance(2)
    client.world.release_version("1000000001", "5.0")
    (on_sale,) = client.data(path, filter__appVersionState="READY_FOR_DISTRIBUTION")
    assert on_sale["attributes"]["versionString"] == "5.0"
    assert on_sale["attributes"]["createdDate"] < client.world.today.isoformat()
    assert len(client.data(path, filter__appVersionState="REPLACED_WITH_NEW_VERSION")) == 4
    assert len(client.data("/v1/apps/1000000002/appStoreVersions")) == 4


def test_the_people_of_the_account_are_for_an_admin_key_only(client):
    (someone,) = client.data("/v1/users", limit=1)
    assert someone["attributes"]["username"].endswith("@example.com")
    assert [each["attributes"]["roles"] for each in client.data("/v1/users", filter__roles="FINANCE")] == [
        ["SALES", "FINANCE"]
    ]
    client.sign_in(client.world.keys.register(ApiRole.FINANCE))
    refused = client.get("/v1/users", limit=1)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "FORBIDDEN_ERROR")


def test_every_resource_is_found_by_its_id_and_every_list_as_linkages(client):
    request_id = client.created()
    client.world.advance(1)
    report_id = client.report_id(request_id, "App Crashes")
    (instance_id,) = client.instances(request_id, "App Crashes").values()
    segments = client.data(f"/v1/analyticsReportInstances/{instance_id}/segments")
    assert client.data(f"/v1/analyticsReports/{report_id}")["attributes"]["name"] == "App Crashes"
    assert client.data(f"/v1/analyticsReportInstances/{instance_id}")["attributes"]["processingDate"] == "2026-06-02"
    again = client.data(f"/v1/analyticsReportSegments/{segments[0]['id']}")
    assert again["attributes"]["checksum"] == segments[0]["attributes"]["checksum"]
    lists = {
        "apps/1000000001/relationships/analyticsReportRequests": request_id,
        f"analyticsReportRequests/{request_id}/relationships/reports": report_id,
        f"analyticsReports/{report_id}/relationships/instances": instance_id,
        f"analyticsReportInstances/{instance_id}/relationships/segments": segments[0]["id"],
    }
    for path, expected in lists.items():
        found = client.data(f"/v1/{path}", limit=200)
        assert {tuple(each) for each in found} == {("type", "id")}
        assert expected in {each["id"] for each in found}
    for path in ("analyticsReports/r1-x", "analyticsReportInstances/x", "analyticsReportSegments/x"):
        assert client.get(f"/v1/{path}").status_code == 404


@pytest.mark.parametrize(
    "app",
    [
        {"type": "bananas", "id": "1000000001"},
        {"id": "1000000001"},
        {"type": "apps", "id": 1000000001},
        {"type": "apps"},
    ],
)
def test_a_request_for_something_that_is_no_app_is_refused(client, app):
    resource = {
        "type": "analyticsReportRequests",
        "attributes": {"accessType": "ONGOING"},
        "relationships": {"app": {"data": app}},
    }
    answer = client.session.post(REQUESTS, json={"data": resource})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "ENTITY_UNPROCESSABLE")
    assert client.world.requests_of("1000000001") == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/apps", {"include": "bananas"}),
        ("/v1/apps", {"fields[apps]": "name,bananas"}),
        ("/v1/apps", {"fields[bananas]": "name"}),
        ("/v1/apps", {"limit[builds]": "51"}),
        ("/v1/apps/1000000001/analyticsReportRequests", {"filter[accessType]": "HOURLY"}),
        ("/v1/apps/1000000001/analyticsReportRequests", {"fields[analyticsReports]": "size"}),
        ("/v1/apps/1000000001/analyticsReportRequests", {"sort": "accessType"}),
        ("/v1/users", {"filter[roles]": "KING"}),
    ],
)
def test_a_value_that_apple_does_not_document_is_refused_by_the_parameters_name(client, path, query):
    answer = client.session.get(f"{APPLE}{path}", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["source"]) == (400, {"parameter": next(iter(query))})


@pytest.mark.parametrize("query", [{"limit": 201}, {"limit": "x"}, {"cursor": "zzz"}, {"filter__colour": "red"}])
def test_a_bad_query_is_refused_by_name(client, query):
    answer = client.get("/v1/apps", **query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"]["parameter"]


def test_fields_cut_the_attributes(client):
    (app, *_) = client.data("/v1/apps", fields__apps="name")
    assert set(app["attributes"]) == {"name"}
