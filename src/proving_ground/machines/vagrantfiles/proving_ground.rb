# Proving Ground's additions to Vagrant: it defines a topology's machines for each provider, and patches Vagrant so that
# many machines come up fast and without races. A project's Vagrantfile loads this file and calls ProvingGround.machines.
require "etc"
require "json"

module ProvingGround
  # Vagrant inspects every container of the host for published ports. That takes a call for each, and fails with
  # "docker inspect … []" if one of them ends meanwhile, a race of parallel bring-up. These machines publish no ports.
  module NoUsedPorts
    def read_used_ports = {}
  end

  # Vagrant polls a booting machine's ssh without a pause, and runs dozens of commands to detect its system: that keeps a
  # processor busy for seconds, which the machines need to boot. The plugin waits for containers itself.
  module NoWaitForContainers
    def call(env) = env[:machine].provider_name == :docker ? @app.call(env) : super
  end

  module NoGuestOfContainers
    def guest = provider_name == :docker ? raise(Vagrant::Errors::MachineGuestNotReady) : super
  end

  # The values that the plugin writes before it calls Vagrant, so that `vagrant ssh NAME` by hand uses the same ones.
  class Run
    attr_reader :state

    def initialize(root)
      @state = File.join(root, ".proving-ground")
      @root = root
      file = "#{@state}/vagrant.json"
      @content = File.exist?(file) ? JSON.parse(File.read(file)) : {}
    end

    def any? = @content.any?
    def key?(name) = @content.key?(name)
    def [](name) = @content[name]
    def dig(*names) = @content.dig(*names)
    def fetch(...) = @content.fetch(...)
    def made_by = "Proving Ground, run #{fetch("run_id", "by hand")}"
    def folders = fetch("folders", {})

    # Name, address, memory and cpus of each machine; without values of a run, from `proving-ground list`.
    def machines
      fetch("machines") do
        listed = Dir.chdir(@root) { `#{ENV.fetch("PG_PROGRAM", "proving-ground")} list --json` }
        $?.success? ? JSON.parse(listed) : abort("Vagrantfile: `proving-ground list` does not know the machines")
      end
    end
  end

  module_function

  # Define all machines on `config`; `root` is the project's directory.
  def machines(config, root)
    run = Run.new(root)
    patch(run)
    defaults(config, run)
    run.machines.each { |machine| define(config, run, machine, machine["name"], machine["address"]) }
  end

  def patch(run)
    VagrantPlugins::DockerProvider::Driver.prepend(NoUsedPorts) if VagrantPlugins.const_defined?(:DockerProvider)
    return unless run.any?

    Vagrant::Action::Builtin::WaitForCommunicator.prepend(NoWaitForContainers)
    Vagrant::Machine.prepend(NoGuestOfContainers)
  end

  def defaults(config, run)
    config.ssh.username = run.fetch("user", "root")
    config.ssh.insert_key = false
    config.ssh.private_key_path = "#{run.state}/ssh/id_ed25519" if File.exist?("#{run.state}/ssh/id_ed25519")
    config.vm.synced_folder ".", "/vagrant", disabled: true
    # Machines are reached at their own addresses: ports published on the host could collide.
    config.vm.network :forwarded_port, guest: 22, host: 2222, id: "ssh", disabled: true
  end

  def define(config, run, machine, name, address)
    config.vm.define name do |node|
      node.vm.hostname = name
      # Writes the values of `vagrant ssh-config` without starting Vagrant a second time.
      node.trigger.after :up do |trigger|
        trigger.ruby { |_, up| File.write("#{run.state}/ssh/#{name}.json", JSON.generate(up.ssh_info)) } if run.any?
      end
      node.vm.provider(:docker) { |docker, override| container(docker, override, run, machine, name, address) }
      node.vm.provider(:libvirt) { |libvirt, override| domain(libvirt, override, run, machine, name, address) }
      node.vm.provider(:virtualbox) { |virtualbox, override| box(virtualbox, override, run, machine, address) }
    end
  end

  def container(docker, override, run, machine, name, address)
    docker.image = run.dig("images", name) || run.fetch("node_image", "proving-ground/node")
    docker.name = "#{run.fetch("checkout", "by-hand")}-#{name}"
    docker.has_ssh = true
    cpus = [machine["cpus"], Etc.nprocessors].min # Docker refuses more than the host has
    docker.create_args = %W[--memory #{machine["memory"]}m --cpus #{cpus}] + run.fetch("create_arguments", [])
    docker.create_args += ["--mount", run["mounts"][name]] if run.key?("mounts")
    network = { ip: address }
    network[:name] = run["network"] if run["network"]
    override.vm.network :private_network, **network
    run.folders.each { |guest, host| override.vm.synced_folder host, guest, docker_consistency: "ro" }
  end

  def domain(libvirt, override, run, machine, name, address)
    override.vm.box = run.fetch("box", ENV.fetch("FLATCAR_BOX", "flatcar-stable"))
    override.vm.guest = :coreos # or Vagrant runs a dozen commands to detect it
    override.vm.boot_timeout = 900
    # The machine gets its address from its kernel's command line, or from Ignition.
    override.vm.network :private_network, ip: address, auto_config: false, libvirt__dhcp_enabled: false,
      libvirt__forward_mode: "none", **(run["network"] ? { libvirt__network_name: run["network"] } : {})
    libvirt.uri = "qemu:///system"
    libvirt.qemu_use_session = false
    libvirt.description = run.made_by
    libvirt.default_prefix = "#{run.fetch("checkout", "by-hand")}-"
    libvirt.memory = machine["memory"]
    libvirt.cpus = [machine["cpus"], Etc.nprocessors].min
    hardware(libvirt, run)
    boot(libvirt, run, name)
    run.folders.each { |guest, host| override.vm.synced_folder host, guest, type: "virtiofs", mount_opts: "ro" }
  end

  def hardware(libvirt, run)
    kvm = run.fetch("kvm", true)
    libvirt.driver = kvm ? "kvm" : "qemu"
    libvirt.cpu_mode = kvm ? "host-passthrough" : "maximum"
    # virtiofsd, which serves the depot's folder, needs shared memory.
    libvirt.memorybacking :source, type: "memfd"
    libvirt.memorybacking :access, mode: "shared"
    libvirt.disk_driver cache: "unsafe" # the machines need not survive a crash of the host
    libvirt.graphics_type = "none"
    libvirt.memballoon_enabled = false
    libvirt.usb_controller model: "none"
    libvirt.random model: "random"
  end

  def boot(libvirt, run, name)
    if run.key?("pool")
      libvirt.storage_pool_name = run["pool"]
      libvirt.management_network_name = run["management_network"]
      libvirt.management_network_address = run["management_address"]
    end
    if run.key?("kernel")
      libvirt.kernel, libvirt.initrd, libvirt.cmd_line = run["kernel"], run["initrd"], run["command_lines"][name]
    elsif run.key?("ignition")
      libvirt.machine_virtual_size = 16 # GB; Flatcar's image has half of it, and grows to the disk's size at its first boot
      libvirt.qemuargs value: "-fw_cfg"
      libvirt.qemuargs value: "name=opt/org.flatcar-linux/config,string=#{run["ignition"][name]}"
    end
  end

  def box(virtualbox, override, run, machine, address)
    override.vm.box = ENV.fetch("FLATCAR_BOX", "flatcar-stable")
    override.vm.network :private_network, ip: address
    virtualbox.memory = machine["memory"]
    virtualbox.cpus = machine["cpus"]
    virtualbox.customize ["modifyvm", :id, "--description", run.made_by]
    virtualbox.check_guest_additions = false
    virtualbox.functional_vboxsf = false
    run.folders.each { |guest, host| override.vm.synced_folder host, guest, type: "rsync" }
  end
end
