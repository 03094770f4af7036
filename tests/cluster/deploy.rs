//! `deploy`, `diff` and `plan` from end to end.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Shop, wait_until};

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n";
const SECRET: &str = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {key: hunter2}\n";
const OTHER: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n";

#[tokio::test]
async fn what_changes_is_planned_applied_recorded_and_pruned() {
    let shop = Shop::open("deploy").await;
    let all = format!("{CONFIG}{SECRET}{OTHER}");
    let diff = shop.run(&all, &["diff", "-f", "app.yaml", "--exit-code"]).await;
    assert_eq!((diff.code, diff.stdout.contains("3 to create")), (Some(1), true), "{diff}");
    shop.deploy(&all, &[]).await.succeeded().never_says("hunter2");
    let again = shop.deploy(&all, &["-o", "json"]).await;
    let report: Value = serde_json::from_str(&again.succeeded().stdout).unwrap();
    assert_eq!((&report["kind"], &report["outcome"]), (&json!("DeployReport"), &json!("unchanged")));
    assert!(report["requests"].as_u64().unwrap() <= 10, "{report}");
    assert!(report.get("revision").is_none(), "what changes nothing makes no revision");

    let less = format!("{}{}", CONFIG.replace("red", "blue"), SECRET.replace("hunter2", "hunter3"));
    let diff = shop.run(&less, &["diff", "-f", "app.yaml"]).await;
    diff.succeeded().never_says("hunter").never_says("aHVudGVy");
    for line in ["data.color: red → blue", "data.key: *** (old) → *** (new)", "- configmap/other"] {
        assert!(diff.stdout.contains(line), "{line}\n{diff}");
    }
    shop.deploy(&less, &[]).await.succeeded();
    assert_eq!(shop.get("configmaps", "other").await, Value::Null);
    assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], "blue");
    let same = shop.run(&less, &["diff", "-f", "app.yaml", "--exit-code"]).await;
    same.succeeded();
}

#[tokio::test]
async fn a_conflict_is_named_and_settled_by_consent_or_by_a_rule() {
    let shop = Shop::open("conflict").await;
    shop.deploy(CONFIG, &[]).await.succeeded();
    shop.patch_config_map("settings", json!({"color": "green"})).await;
    let blue = CONFIG.replace("red", "blue");
    let refused = shop.deploy(&blue, &[]).await;
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stdout.contains("conflict data.color: another-tool has green, the manifest blue"), "{refused}");
    assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], "green", "nothing was changed");

    let rule = "name: shop\ndeploy: {conflicts: [{kind: ConfigMap, field: data.color, take: theirs}]}\n";
    shop.evolve.file("evolve.yaml", rule);
    shop.deploy(&blue.replace("{color: blue}", "{color: blue, size: big}"), &[]).await.succeeded();
    let data = shop.get("configmaps", "settings").await["data"].clone();
    assert_eq!(data, json!({"color": "green", "size": "big"}), "the field is left to its owner");

    shop.evolve.file("evolve.yaml", "name: shop\n");
    shop.deploy(&blue, &["--force-conflicts"]).await.succeeded();
    assert_eq!(shop.get("configmaps", "settings").await["data"], json!({"color": "blue"}));
}

#[tokio::test]
async fn what_cannot_be_changed_is_recreated_with_consent_and_a_claim_never() {
    let shop = Shop::open("recreate").await;
    let claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n\
                 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Mi}}}\n";
    shop.deploy(&format!("{SECRET}{claim}"), &[]).await.succeeded();
    let uid = shop.get("secrets", "key").await["metadata"]["uid"].clone();
    let typed = SECRET.replace("stringData", "type: example.org/key\nstringData");
    let refused = shop.deploy(&format!("{typed}{claim}"), &[]).await;
    assert!(refused.code == Some(1) && refused.stdout.contains("--recreate"), "{refused}");
    refused.never_says("hunter2");
    let shrunk = format!("{typed}{}", claim.replace("8Mi", "4Mi"));
    let refused = shop.deploy(&shrunk, &["--recreate"]).await;
    assert!(refused.code == Some(1) && refused.stdout.contains("its data would be lost"), "{refused}");
    assert_eq!(shop.get("secrets", "key").await["metadata"]["uid"], uid, "a plan that is refused changes nothing");
    shop.deploy(&format!("{typed}{claim}"), &["--recreate"]).await.succeeded();
    let secret = shop.get("secrets", "key").await;
    assert!(secret["type"] == "example.org/key" && secret["metadata"]["uid"] != uid, "{secret}");
}

#[tokio::test]
async fn a_saved_plan_is_run_exactly_or_not_at_all() {
    let shop = Shop::open("plan").await;
    let all = format!("{CONFIG}{SECRET}");
    shop.deploy(&all, &[]).await.succeeded();
    let blue = all.replace("red", "blue");
    let save = ["plan", "-f", "app.yaml", "--out", "plan.json"];
    shop.run(&blue, &save).await.succeeded();
    let saved = std::fs::read_to_string(shop.evolve.folder().join("plan.json")).unwrap();
    assert!(!saved.contains("hunter2") && !saved.contains("aHVudGVyMg"), "a plan holds no value of a secret");
    let run = async |manifests: &str| {
        shop.evolve.file("app.yaml", manifests);
        shop.evolve.run(&["deploy", "--plan", "plan.json", "--wait=false"]).await
    };
    run(&blue.replace("hunter2", "hunter3"))
        .await
        .failed(1, &["secret/key", "not those of the plan"])
        .never_says("hunter");
    shop.patch_config_map("settings", json!({"size": "big"})).await;
    run(&blue).await.failed(1, &["moved", "configmap/settings"]);
    shop.run(&blue, &save).await.succeeded();
    // What the files say by now does not matter: the plan was reviewed.
    run(&blue.replace("blue", "pink")).await.succeeded();
    assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], "blue");
}

#[tokio::test]
async fn objects_of_kubectl_apply_are_taken_over_with_no_field_lost() {
    let Some(shop) = Shop::with_kubectl("takeover").await else { return };
    for server_side in [false, true] {
        let service = "apiVersion: v1\nkind: Service\nmetadata: {name: api, labels: {old: 'yes', kept: 'yes'}}\n\
                       spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8001}, {name: b, port: 81}]}\n";
        let service = service.replace("ports: [{port", "ports: [{name: a, port");
        let file = shop.evolve.file("app.yaml", &service);
        let mut kubectl = tokio::process::Command::new("kubectl");
        kubectl.env("KUBECONFIG", shop.namespace.kubeconfig());
        kubectl.args(["apply", "-n", &shop.namespace.name, "-f"]).arg(&file);
        if server_side {
            kubectl.arg("--server-side");
        }
        assert!(kubectl.status().await.unwrap().success());
        let before = shop.get("services", "api").await;
        let less = service.replace("old: 'yes', ", "").replace(", {name: b, port: 81}", "").replace("8001", "8002");
        let diff = shop.run(&less, &["diff", "-f", "app.yaml"]).await;
        for line in ["- metadata.labels.old", "targetPort: 8001 → 8002", "- spec.ports[name=b]"] {
            assert!(diff.stdout.contains(line), "{line}\n{diff}");
        }
        assert!(!diff.stdout.contains("sessionAffinity"), "a default that comes back is no change\n{diff}");
        shop.deploy(&less, &[]).await.succeeded();
        let after = shop.get("services", "api").await;
        assert_eq!(after["spec"]["clusterIP"], before["spec"]["clusterIP"]);
        assert_eq!(after["spec"]["ports"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&after["metadata"]["labels"]["kept"], &after["metadata"]["labels"]["old"]),
            (&json!("yes"), &Value::Null)
        );
        let same = shop.run(&less, &["diff", "-f", "app.yaml", "--exit-code"]).await;
        same.succeeded();
        shop.namespace.delete("/api/v1", "services", "api").await;
    }
}

#[tokio::test]
async fn a_namespace_and_a_definition_may_come_with_what_needs_them() {
    let shop = Shop::open("order").await;
    let name = shop.namespace.name.replace("evolve-test-order-", "evolve-test-order2-");
    let group = format!("{name}.example.org");
    let manifests = format!(
        "apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{size: 3}}\n---\n\
         apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n---\n\
         apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{plural: widgets, singular: widget, kind: Widget}}\n\
         \x20 versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema: {{type: object, \
         x-kubernetes-preserve-unknown-fields: true}}\n"
    );
    shop.evolve.file("app.yaml", &manifests);
    let run = async |words: &[&str]| {
        shop.evolve.run(&[words, &["-f", "app.yaml", "-n", &name, "--app", "order"]].concat()).await
    };
    let diff = run(&["diff"]).await;
    assert!(diff.succeeded().stdout.contains("3 to create"), "{diff}");
    run(&["deploy"]).await.succeeded();
    let again = run(&["deploy"]).await;
    assert!(again.succeeded().stdout.contains("3 unchanged"), "{again}");
    let delete = async |path: &str| shop.namespace.send("DELETE", path, "application/json", Vec::new()).await;
    delete(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")).await;
    delete(&format!("/api/v1/namespaces/{name}")).await;
}

#[tokio::test]
async fn secrets_are_generated_once_and_missing_ones_are_named_before_anything_is_applied() {
    let shop = Shop::open("secrets").await;
    let config = "name: shop\nsecrets:\n  - name: database\n    keys:\n      password: {generate: password}\n      \
                  token: {env: SHOP_TOKEN}\nmanifests: [app.yaml]\n";
    shop.evolve.file("evolve.yaml", config);
    shop.evolve.file("app.yaml", CONFIG);
    let words = ["deploy", "--wait=false", "-n", &shop.namespace.name];
    shop.evolve.run(&words).await.failed(2, &["SHOP_TOKEN", "secret/database"]);
    assert_eq!(shop.get("configmaps", "settings").await, Value::Null);
    let evolve = shop.evolve.variable("SHOP_TOKEN", "tok3n");
    evolve.run(&words).await.succeeded().never_says("tok3n");
    let password = async || {
        let secrets = shop.namespace.list("/api/v1", "secrets").await;
        let secret = secrets.into_iter().find(|secret| secret["metadata"]["name"] == "database").unwrap();
        secret["data"]["password"].as_str().unwrap().to_owned()
    };
    let first = password().await;
    let again = evolve.run(&words).await;
    assert!(again.succeeded().stdout.contains("unchanged"), "{again}");
    assert_eq!(password().await, first);
}

#[tokio::test]
async fn a_failed_deploy_stores_its_evidence_and_goes_back() {
    let shop = Shop::open("failure").await;
    let app = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 1\n  \
               selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n    spec:\n      \
               containers:\n      - {name: api, image: 'busybox:1.36', command: [sleep, '1000000']}\n      \
               terminationGracePeriodSeconds: 0\n";
    let flags = ["deploy", "-f", "app.yaml", "--timeout", "60s", "--grace", "1s"];
    shop.run(app, &flags).await.succeeded();
    let broken = app.replace("busybox:1.36", "nowhere.example/absent:1");
    let failed = shop.run(&broken, &flags).await;
    assert_eq!(failed.code, Some(1), "{failed}");
    assert!(failed.stdout.contains("rolled back to revision 1"), "{failed}");
    for word in ["nowhere.example/absent:1", "deployment.apps/api"] {
        assert!(failed.stdout.contains(word), "{word}\n{failed}");
    }
    let deployment = async || shop.namespace.list("/apis/apps/v1", "deployments").await.swap_remove(0);
    let image = deployment().await["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    assert_eq!(image, "busybox:1.36");
    let again = shop.run(app, &flags).await;
    assert!(again.succeeded().stdout.contains("unchanged"), "{again}");
    let kept = shop.run(&broken, &[&flags[..], &["--on-failure", "keep"]].concat()).await;
    assert_eq!(kept.code, Some(1), "{kept}");
    wait_until("the broken image", Duration::from_secs(5), async || {
        let image = deployment().await["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        (image == "nowhere.example/absent:1").then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_documented_permissions_are_enough() {
    let Some(shop) = Shop::real("rbac").await else { return };
    let (_, rest) = include_str!("../../docs/deploy.md").split_once("```yaml\n").unwrap();
    let (role, _) = rest.split_once("```").unwrap();
    let name = shop.namespace.name.clone();
    let binding = format!(
        "{role}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: deployer}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}}\n\
         subjects: [{{kind: User, name: deployer-{name}, apiGroup: rbac.authorization.k8s.io}}]\n"
    );
    let admin = ["deploy", "-f", "app.yaml", "-n", &name, "--app", "rbac"];
    shop.evolve.file("app.yaml", &binding);
    shop.evolve.run(&admin).await.succeeded();
    let user = format!("deployer-{name}");
    let app = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 1\n  \
               selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n    spec:\n      \
               containers:\n      - {name: api, image: 'busybox:1.36', command: [sleep, '1000000']}\n      \
               terminationGracePeriodSeconds: 0\n";
    let flags = ["deploy", "-f", "app.yaml", "--as", &user];
    shop.run(&format!("{CONFIG}{OTHER}---\n{app}"), &flags).await.succeeded();
    let changed = shop.run(&format!("{}---\n{app}", CONFIG.replace("red", "blue")), &flags).await;
    assert!(changed.succeeded().stderr.contains("configmap/other deleted"), "{changed}");
    shop.run(SECRET.trim_start_matches("---\n"), &["diff", "-f", "app.yaml", "--as", "nobody"])
        .await
        .failed(1, &["403"; 0]);
}

#[tokio::test]
async fn a_configuration_counts_for_its_own_manifests_only() {
    let shop = Shop::open("elsewhere").await;
    let evolve = &shop.evolve;
    evolve.file("evolve.yaml", "name: shop\nnamespace: absent\nmanifests: [manifests]\n");
    evolve.file("manifests/settings.yaml", CONFIG);
    evolve.file("other/thing.yaml", CONFIG);
    let diff = async |file: &str| evolve.run(&["diff", "-f", file, "-o", "json", "-n", &shop.namespace.name]).await;
    for (file, application) in
        [("other/thing.yaml", "thing"), ("manifests/settings.yaml", "shop"), ("manifests", "shop")]
    {
        let plan: Value = serde_json::from_str(&diff(file).await.succeeded().stdout).unwrap();
        assert_eq!(plan["application"], application, "{file}");
    }
}

#[tokio::test]
async fn the_order_of_a_list_and_the_scale_of_another_are_seen() {
    let shop = Shop::open("order").await;
    let app = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 1\n  \
               selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n    spec:\n      \
               initContainers:\n      - {name: one, image: 'busybox:1.36'}\n      - {name: two, image: 'busybox:1.36'}\n      \
               containers: [{name: api, image: 'busybox:1.36'}]\n";
    shop.deploy(app, &[]).await.succeeded();
    let swapped = app.replace("name: one", "name: x").replace("name: two", "name: one").replace("name: x", "name: two");
    let changed = shop.deploy(&swapped, &[]).await;
    assert!(changed.succeeded().stderr.contains("deployment.apps/api changed"), "{changed}");
    let deployment = shop.namespace.list("/apis/apps/v1", "deployments").await.swap_remove(0);
    assert_eq!(deployment["spec"]["template"]["spec"]["initContainers"][0]["name"], "two");

    let path = format!("/apis/apps/v1/namespaces/{}/deployments/api/scale?fieldManager=kubectl", shop.namespace.name);
    let body = json!({"spec": {"replicas": 3}}).to_string().into_bytes();
    shop.namespace.send("PATCH", &path, "application/merge-patch+json", body).await;
    let refused = shop.deploy(&swapped.replace("replicas: 1", "replicas: 2"), &[]).await;
    assert!(refused.code == Some(1) && refused.stdout.contains("conflict spec.replicas: kubectl has 3"), "{refused}");
    let two = app.replace("- {name: one", "- {name: zero, image: 'busybox:1.36'}\n      - {name: one");
    assert_eq!(shop.deploy(&two, &["--force-conflicts"]).await.code, Some(0));
}

#[tokio::test]
async fn other_files_never_prune_by_themselves() {
    let shop = Shop::open("files").await;
    let evolve = &shop.evolve;
    evolve.file("evolve.yaml", "name: shop\n");
    evolve.file("manifests/one.yaml", CONFIG);
    evolve.file("manifests/two.yaml", OTHER.trim_start_matches("---\n"));
    let run = async |words: &[&str]| evolve.run(&[words, &["--wait=false", "-n", &shop.namespace.name]].concat()).await;
    run(&["deploy"]).await.succeeded();
    for color in ["blue", "green"] {
        evolve.file("manifests/one.yaml", &CONFIG.replace("red", color));
        run(&["deploy", "-f", "manifests/one.yaml"]).await.succeeded();
        assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], color);
        assert_ne!(shop.get("configmaps", "other").await, Value::Null, "{color}");
    }
    std::fs::remove_file(evolve.folder().join("manifests/two.yaml")).unwrap();
    run(&["deploy"]).await.succeeded();
    assert_eq!(shop.get("configmaps", "other").await, Value::Null);
}

#[tokio::test]
async fn an_autoscaler_that_is_new_in_the_set_takes_the_replicas_as_they_are() {
    let shop = Shop::open("autoscaler").await;
    let workload = |spec: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\nspec:\n  paused: true\n  {spec}\n  \
             selector: {{matchLabels: {{app: api}}}}\n  template:\n    metadata: {{labels: {{app: api}}}}\n    \
             spec: {{containers: [{{name: api, image: 'busybox:1.36'}}]}}\n"
        )
    };
    let autoscaler = "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: api}\nspec:\n  \
                      scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}\n  minReplicas: 2\n  \
                      maxReplicas: 5\n  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, \
                      averageUtilization: 80}}}]\n";
    shop.deploy(&workload("replicas: 3"), &[]).await.succeeded();
    let with = format!("{}{autoscaler}", workload("minReadySeconds: 0"));
    let diff = shop.run(&with, &["diff", "-f", "app.yaml"]).await;
    assert!(diff.stdout.contains("spec.replicas is left to the autoscaler"), "{diff}");
    assert!(!diff.stdout.contains("spec.replicas:"), "{diff}");
    shop.deploy(&with, &[]).await.succeeded();
    let deployment = shop.namespace.list("/apis/apps/v1", "deployments").await.swap_remove(0);
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(deployment["metadata"]["generation"], 1, "there was no moment with another number: {deployment}");
    shop.run(&with, &["diff", "-f", "app.yaml", "--exit-code"]).await.succeeded();
}

#[tokio::test]
async fn a_part_lands_in_the_namespace_of_the_whole() {
    let shop = Shop::open("part").await;
    let namespace = &shop.namespace.name;
    let evolve = &shop.evolve;
    evolve.file("evolve.yaml", "name: shop\nmanifests: [manifests]\n");
    let whole = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n");
    evolve.file("manifests/namespace.yaml", &whole);
    evolve.file("manifests/settings.yaml", &CONFIG.replace("settings}", "settings, labels: {part: one}}"));
    let deploy = async |words: &[&str]| evolve.run(&[&["deploy", "--wait=false"], words].concat()).await;
    deploy(&[]).await.succeeded();
    for (color, part) in [("blue", ["-l", "part=one"]), ("green", ["-f", "manifests/settings.yaml"])] {
        let file = evolve.folder().join("manifests/settings.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("red", color).replace("blue", color)).unwrap();
        deploy(&part).await.succeeded();
        assert_eq!(shop.get("configmaps", "settings").await["data"]["color"], color, "{part:?}");
    }
}
